"""Does the subscription push to the service, and does anybody answer there?"""

from urllib.parse import urlsplit

from worker.smoke.evidence import Evidence, Unknown
from worker.smoke.ladder.commands import Commands
from worker.smoke.ladder.rung import Rung, broken, ok, unknown
from worker.smoke.sending import origin_of

_NOT_HERE = frozenset({301, 302, 303, 307, 308, 404, 405})
_PATHS = ("", "/")  # where the worker takes pushes
_FROM_PUBSUB = ("APIs-Google", "CloudPubSub")  # the user agents of pushes


def endpoint_url(evidence: Evidence) -> Rung:
    """Compared with the service's own addresses."""
    if evidence.arrived:
        return ok("it is the worker's")
    if evidence.elsewhere:
        return _wrong(evidence, f"the service {evidence.elsewhere} got the message")
    return _of_url(evidence) if evidence.question.url else _of_subscription(evidence)


def _of_subscription(evidence: Evidence) -> Rung:
    if evidence.subscription is None or isinstance(evidence.subscription, Unknown):
        return unknown("the subscription is not known")
    if not evidence.endpoint:
        return _wrong(evidence, f"the subscription {evidence.question.subscription} pushes nowhere")
    if urlsplit(evidence.endpoint).path not in _PATHS:
        return _wrong(evidence, f"pushes go to {evidence.endpoint}, the worker takes them at /")
    return _compared(evidence)


def _of_url(evidence: Evidence) -> Rung:
    answer, url = evidence.sent.answer, evidence.question.url
    if answer is None:
        return unknown("nobody answered there")
    if answer.status not in _NOT_HERE or answer.outcome:
        return ok(f"{url} answered {answer.status}")
    return broken(
        f"{url} answered {answer.status}",
        "No worker takes pushes there: the tag or the path is wrong, or Cloud Run does not know "
        "the address yet.",
        Commands(evidence.question.deployment).show_service(),
        status=answer.status,
    )


def _compared(evidence: Evidence) -> Rung:
    known = _addresses(evidence)
    if not known:
        return unknown(f"pushes go to {evidence.endpoint}; the service's URL is not known")
    if origin_of(evidence.endpoint) in known or _pushed_to(evidence):
        return ok(f"pushes go to {evidence.endpoint}")
    return _wrong(
        evidence, f"pushes go to {evidence.endpoint}, the service is at {evidence.service_url}"
    )


def _addresses(evidence: Evidence) -> set[str]:
    """Its own, those of its tags, and what is known of its domains from its audiences."""
    its = evidence.service
    if its is None or isinstance(its, Unknown):
        return set()
    tags = [one.get("uri") for one in its.get("trafficStatuses") or []]
    urls = [its.get("uri"), *(its.get("urls") or []), *tags, *(its.get("customAudiences") or [])]
    return {origin_of(str(one)) for one in urls if one and "://" in str(one)}


def _pushed_to(evidence: Evidence) -> bool:
    """Whether Pub/Sub's requests come to the service: through a domain, or a load balancer."""
    if isinstance(evidence.requests, Unknown):
        return False
    agents = [str(one.get("userAgent", "")) for one in evidence.requests]
    return any(agent.startswith(_FROM_PUBSUB) for agent in agents)


def _wrong(evidence: Evidence, what: str) -> Rung:
    commands = Commands(evidence.question.deployment)
    url = evidence.service_url
    mend = commands.point_subscription(url) if url else commands.show_service()
    return broken(
        what,
        "Messages wait, or come to somebody else, until the subscription pushes to the service. "
        "Push settings are always sent whole: what is left out, the token too, is dropped.",
        mend,
        pushEndpoint=evidence.endpoint, service=url,
    )  # fmt: skip


def endpoint_reachable(evidence: Evidence) -> Rung:
    """Asked from here, and from Cloud Monitoring, which heard of it from Pub/Sub."""
    if evidence.arrived or evidence.statuses():
        return ok("requests come to the service")
    return _url_answers(evidence) if evidence.question.url else _endpoint_answers(evidence)


def _url_answers(evidence: Evidence) -> Rung:
    if evidence.sent.answer is None:
        return _unreachable(evidence, evidence.question.url, evidence.sent.unreachable)
    return ok(f"it answered {evidence.sent.answer.status}")


def _endpoint_answers(evidence: Evidence) -> Rung:
    if not isinstance(evidence.responses, Unknown) and evidence.responses.get("unreachable"):
        return _unreachable(evidence, evidence.endpoint, "Pub/Sub gets no answer there")
    if isinstance(evidence.reached, Unknown):
        return unknown(evidence.reached.why)
    if not evidence.reached.status:
        return _unreachable(evidence, evidence.endpoint, evidence.reached.why)
    return ok(f"{evidence.endpoint} answers")


def _unreachable(evidence: Evidence, url: str, why: str) -> Rung:
    return broken(
        f"nobody answers at {url}: {why}",
        "The name does not resolve, nothing listens, or its certificate is not valid. Messages "
        "wait in the subscription, and each try counts as a delivery attempt.",
        Commands(evidence.question.deployment).show_service(),
        endpoint=url,
    )
