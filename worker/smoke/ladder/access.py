"""Do IAM and the worker let the pushes in?"""

from worker.smoke.evidence import Evidence, Unknown
from worker.smoke.ladder.commands import Commands
from worker.smoke.ladder.rung import Rung, broken, ok, unknown

_UNAUTHENTICATED, _FORBIDDEN = 401, 403
# Roles with run.routes.invoke. Source: Cloud Run IAM roles.
_ROLES = ("roles/run.invoker", "roles/run.servicesInvoker", "roles/run.admin")
_REFUSALS = frozenset({_UNAUTHENTICATED, _FORBIDDEN})


def iam(evidence: Evidence) -> Rung:
    """Cloud Run's own check, before the container: 403."""
    if evidence.arrived or evidence.turned_away or evidence.refused:
        return ok("requests come to the worker")
    return _iam_of_url(evidence) if evidence.question.url else _iam_of_pushes(evidence)


def _iam_of_pushes(evidence: Evidence) -> Rung:
    account = evidence.token_account
    if _FORBIDDEN in evidence.statuses():
        return _forbidden(evidence, account, "Cloud Run answers pushes with 403")
    if evidence.subscription is None or isinstance(evidence.subscription, Unknown):
        return unknown("the subscription is not known")
    if isinstance(evidence.service_policy, Unknown):
        return unknown(evidence.service_policy.why)
    return _by_policy(evidence, account)


def _by_policy(evidence: Evidence, account: str) -> Rung:
    if _is_open(evidence):
        return ok("the service is public")
    if not account:
        return _forbidden(evidence, "", "pushes carry no token, and the service is not public")
    if not _may_invoke(evidence, account):
        return _forbidden(evidence, account, f"{account} may not call the service")
    return ok(f"{account} may call the service")


def _iam_of_url(evidence: Evidence) -> Rung:
    answer = evidence.sent.answer
    if answer is None:
        return unknown("nobody answered there")
    if answer.status != _FORBIDDEN:
        return ok(f"it answered {answer.status}")
    account = evidence.question.push_account
    return _forbidden(evidence, account, f"{account} may not call the service: 403")


def _is_open(evidence: Evidence) -> bool:
    its = evidence.service
    switched_off = (
        its is not None and not isinstance(its, Unknown) and its.get("invokerIamDisabled")
    )
    return bool(switched_off) or _grants(evidence, "allUsers")


def _may_invoke(evidence: Evidence, account: str) -> bool:
    return _grants(evidence, f"serviceAccount:{account}")


def _grants(evidence: Evidence, member: str) -> bool:
    policies = (evidence.service_policy, evidence.project_policy)
    return any(
        one.grants(role, member)
        for one in policies
        if not isinstance(one, Unknown)
        for role in _ROLES
    )


def _forbidden(evidence: Evidence, account: str, what: str) -> Rung:
    commands = Commands(evidence.question.deployment)
    allowed = account or evidence.question.push_account
    tokens = () if account else (commands.point_subscription(_url(evidence)),)
    return broken(
        what,
        "The worker never sees the pushes. The account of the token needs roles/run.invoker on "
        "the service; what was granted takes a minute or two to hold.",
        *tokens, commands.allow_push(allowed),
        account=account, statuses=evidence.statuses(),
    )  # fmt: skip


def token(evidence: Evidence) -> Rung:
    """The check of the token: by IAM (401), or by the worker (401, 403)."""
    if evidence.arrived:
        return ok("it was accepted")
    if evidence.turned_away or any(one.status in _REFUSALS for one in evidence.refused):
        return _refused(evidence)
    if evidence.question.url:
        return _token_of_url(evidence)
    if _UNAUTHENTICATED in evidence.statuses():
        return _not_valid(evidence)
    if isinstance(evidence.requests, Unknown):
        return unknown(evidence.requests.why)
    return ok("no push was refused for its token")


def _token_of_url(evidence: Evidence) -> Rung:
    answer = evidence.sent.answer
    if answer is None:
        return unknown("nobody answered there")
    return _not_valid(evidence) if answer.status == _UNAUTHENTICATED else ok("nobody complained")


def _refused(evidence: Evidence) -> Rung:
    """By the worker, whose PUSH_AUTH is oidc. Its reasons are in the log only."""
    reasons = list(dict.fromkeys(one.reason for one in evidence.refused))
    answered = evidence.sent.answer.status if evidence.sent.answer else None
    statuses = [answered] if answered else sorted({one.status for one in evidence.refused})
    said = "; ".join(reasons) or "its log does not show yet why"
    return broken(
        f"the worker refuses the token ({', '.join(map(str, statuses))}): {said}",
        "With PUSH_AUTH=oidc the worker takes only tokens for PUSH_AUDIENCE, of the accounts in "
        "PUSH_SERVICE_ACCOUNT. On a service that IAM protects it must be cloud-run-iam: there the "
        "signature may be gone.",
        *_agreement(evidence),
        reasons=reasons, statuses=statuses, oidcToken=evidence.push_config.get("oidcToken"),
    )  # fmt: skip


def _not_valid(evidence: Evidence) -> Rung:
    return broken(
        "Cloud Run answers 401: the token is not valid for this service",
        "The audience of the token must be the service's URL, or one of its custom audiences.",
        *_agreement(evidence),
        oidcToken=evidence.push_config.get("oidcToken"), service=evidence.service_url,
    )  # fmt: skip


def _agreement(evidence: Evidence) -> tuple[str, ...]:
    """Subscription and worker, brought to the same audience and account."""
    commands, url = Commands(evidence.question.deployment), _url(evidence)
    account = evidence.question.push_account
    audience = {"PUSH_AUDIENCE": url, "PUSH_SERVICE_ACCOUNT": account}
    by_worker = evidence.refused or evidence.turned_away
    worker = commands.set_variables(**audience) if by_worker else commands.show_service()
    if evidence.question.url:
        return (worker,)
    return (commands.point_subscription(url), *((worker,) if by_worker else ()))


def _url(evidence: Evidence) -> str:
    from_endpoint = evidence.endpoint.rstrip("/")
    return evidence.service_url or from_endpoint or evidence.question.url or "https://SERVICE_URL"
