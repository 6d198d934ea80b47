"""Do other subscriptions bring the same messages to the same service?"""

from collections.abc import Iterator

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.commands import change_subscription, gcloud
from worker.doctor.live.names import push_host, service_hosts, short
from worker.doctor.live.snapshot import Json, Live, known, there
from worker.doctor.live.subscription import retention_seconds

_EVENTARC = "eventarc-"
_DAY_SECONDS = 24 * 3600

TWICE = Check(
    "handled-twice", Severity.ERROR,
    "one subscription of the topic pushes to the service",
    "Each message is handled once for each subscription: claims are kept within one.",
    "gcloud pubsub subscriptions delete SUBSCRIPTION",
)  # fmt: skip
EVENTARC = Check(
    "eventarc-subscription", Severity.WARNING,
    "Eventarc's hidden subscription retries, dead-letters and keeps what it brings",
    "What fails comes again at once or never, and is lost after a day.",
    "gcloud pubsub subscriptions update SUBSCRIPTION --dead-letter-topic=TOPIC",
)  # fmt: skip


def _twice(live: Live, deployment: Deployment) -> Iterator[Finding]:
    endpoint = push_host(there(live.subscription))
    own = deployment.subscription_name(deployment.subscription)
    topic = deployment.topic_name(deployment.topic)
    for other in known(live.subscriptions):
        name = str(other.get("name"))
        if (
            name != own
            and other.get("topic") == topic
            and endpoint
            and push_host(other) == endpoint
        ):
            words = ("pubsub", "subscriptions", "delete", short(name))
            fix = gcloud(*words, f"--project={deployment.project}")
            yield found(TWICE, name, f"it pushes to the same service as {own}", fix)


def _eventarc(live: Live, deployment: Deployment) -> Iterator[Finding]:
    topic = deployment.topic_name(deployment.topic)
    hosts = service_hosts(there(live.service))
    for one in known(live.subscriptions):
        ours = one.get("topic") == topic or push_host(one) in hosts
        lacking = _lacking(one)
        if short(one.get("name")).startswith(_EVENTARC) and ours and lacking:
            yield _eventarc_finding(str(one["name"]), lacking, deployment)


def _eventarc_finding(name: str, lacking: list[str], deployment: Deployment) -> Finding:
    fix = change_subscription(
        name,
        f"--dead-letter-topic={deployment.topic_name(deployment.dead_letter_topic)}",
        f"--max-delivery-attempts={deployment.max_delivery_attempts}",
        f"--min-retry-delay={deployment.min_retry_seconds}s",
        f"--max-retry-delay={deployment.max_retry_seconds}s",
        f"--message-retention-duration={deployment.retention_days}d",
    )
    return found(EVENTARC, name, f"it has {', '.join(lacking)}", fix)


def _lacking(subscription: Json) -> list[str]:
    lacking = [
        words
        for field, words in (
            ("retryPolicy", "no retry policy"),
            ("deadLetterPolicy", "no dead-letter policy"),
        )
        if not subscription.get(field)
    ]
    if retention_seconds(subscription) <= _DAY_SECONDS:
        lacking.append("a retention of a day")
    return lacking


LOOKS = {TWICE: _twice, EVENTARC: _eventarc}
