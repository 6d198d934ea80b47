"""Does the push subscription bring every message, once, and again when it has to?"""

from collections.abc import Iterator

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.commands import PROVISION, change_subscription, gcloud
from worker.doctor.live.snapshot import Json, Live, known, seconds_of, there

_RETENTION = "604800s"  # Pub/Sub's default

TOPIC_MISSING = Check(
    "topic-missing", Severity.ERROR,
    "the topic is there",
    "Nobody can publish a feature.",
    PROVISION,
)  # fmt: skip
MISSING = Check(
    "subscription-missing", Severity.ERROR,
    "the push subscription is there",
    "What is published reaches no worker, and is lost.",
    PROVISION,
)  # fmt: skip
WRONG_TOPIC = Check(
    "topic-wrong", Severity.ERROR,
    "the push subscription is one of the topic",
    "What is published reaches no worker, and is lost. A subscription keeps its topic.",
    "gcloud pubsub subscriptions delete SUBSCRIPTION",
)  # fmt: skip
DETACHED = Check(
    "subscription-detached", Severity.ERROR,
    "the push subscription is attached to its topic",
    "What is published reaches no worker. A subscription that was detached stays so.",
    "gcloud pubsub subscriptions delete SUBSCRIPTION",
)  # fmt: skip
EXPIRES = Check(
    "subscription-expires", Severity.WARNING,
    "the push subscription never expires",
    "After a quiet time Pub/Sub deletes it; what is published from then on is lost.",
    "gcloud pubsub subscriptions update SUBSCRIPTION --expiration-period=never",
)  # fmt: skip
RETENTION = Check(
    "retention-short", Severity.WARNING,
    "the push subscription keeps messages as long as deploy.toml says",
    "Messages are lost when an outage lasts longer than they are kept.",
    PROVISION,
)  # fmt: skip
NO_RETRY = Check(
    "no-retry-policy", Severity.WARNING,
    "the push subscription waits before it delivers a message again",
    "A message that fails comes again at once, and uses up its attempts in seconds.",
    PROVISION,
)  # fmt: skip
EXACTLY_ONCE = Check(
    "exactly-once", Severity.WARNING,
    "nothing relies on exactly-once delivery",
    "Push ignores it: messages may come twice, and only claims tell.",
    "gcloud pubsub subscriptions update SUBSCRIPTION --no-enable-exactly-once-delivery",
)  # fmt: skip
FILTER = Check(
    "filter", Severity.WARNING,
    "the push subscription brings all messages of the topic",
    "Messages that do not match are acked and seen by nobody. A filter cannot be changed.",
    "gcloud pubsub subscriptions delete SUBSCRIPTION",
)  # fmt: skip
ORDERING = Check(
    "ordering", Severity.NOTE,
    "messages do not wait for each other",
    "A message that fails holds back all later ones with its ordering key. It cannot be changed.",
    "gcloud pubsub subscriptions delete SUBSCRIPTION",
)  # fmt: skip


def _topic_missing(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if known(live.topic) is None:
        yield found(TOPIC_MISSING, deployment.topic_name(deployment.topic), "it is not there")


def _missing(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if known(live.subscription) is None:
        yield found(MISSING, _name(deployment), "it is not there")


def _wrong_topic(live: Live, deployment: Deployment) -> Iterator[Finding]:
    topic = there(live.subscription).get("topic")
    if topic != deployment.topic_name(deployment.topic):
        yield _made_anew(WRONG_TOPIC, deployment, f"its topic is {topic}")


def _detached(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if there(live.subscription).get("detached"):
        yield _made_anew(DETACHED, deployment, "it is detached")


def _expires(live: Live, deployment: Deployment) -> Iterator[Finding]:
    quiet = expires_after(there(live.subscription))
    if quiet:
        fix = change_subscription(_name(deployment), "--expiration-period=never")
        yield found(EXPIRES, _name(deployment), f"it expires after {quiet} without activity", fix)


def _retention(live: Live, deployment: Deployment) -> Iterator[Finding]:
    kept = retention_seconds(there(live.subscription))
    if kept < deployment.retention_seconds:
        flag = f"--message-retention-duration={deployment.retention_days}d"
        what = f"it keeps messages {kept:g} s, deploy.toml says {deployment.retention_days} days"
        yield found(
            RETENTION, _name(deployment), what, change_subscription(_name(deployment), flag)
        )


def _no_retry(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if not there(live.subscription).get("retryPolicy"):
        delays = (
            f"--min-retry-delay={deployment.min_retry_seconds}s",
            f"--max-retry-delay={deployment.max_retry_seconds}s",
        )
        fix = change_subscription(_name(deployment), *delays)
        yield found(NO_RETRY, _name(deployment), "it has no retry policy", fix)


def _exactly_once(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if there(live.subscription).get("enableExactlyOnceDelivery"):
        fix = change_subscription(_name(deployment), "--no-enable-exactly-once-delivery")
        yield found(EXACTLY_ONCE, _name(deployment), "exactly-once delivery is switched on", fix)


def _filter(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if there(live.subscription).get("filter"):
        yield _made_anew(FILTER, deployment, "it has a filter")


def _ordering(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if there(live.subscription).get("enableMessageOrdering"):
        yield _made_anew(ORDERING, deployment, "message ordering is switched on")


def expires_after(subscription: Json) -> str:
    """After how long without activity Pub/Sub deletes it, "" for never.

    Source: Subscription.expiration_policy; without one it is 31 days.
    """
    policy = subscription.get("expirationPolicy")
    return "2678400s" if policy is None else str(policy.get("ttl", ""))


def retention_seconds(subscription: Json) -> float:
    """How long it keeps messages that are not acked. Raises Skipped where that cannot be read."""
    return seconds_of(subscription.get("messageRetentionDuration") or _RETENTION)


def _made_anew(check: Check, deployment: Deployment, what: str) -> Finding:
    """What only a new subscription mends: its messages have to be handled before."""
    words = ("pubsub", "subscriptions", "delete", deployment.subscription)
    delete = gcloud(*words, f"--project={deployment.project}")
    again = f"{PROVISION} --project={deployment.project}"
    what = f"{what}; once it is empty, make it anew"
    return found(check, _name(deployment), what, f"{delete} && {again}")


def _name(deployment: Deployment) -> str:
    return deployment.subscription_name(deployment.subscription)


LOOKS = {
    TOPIC_MISSING: _topic_missing,
    MISSING: _missing,
    WRONG_TOPIC: _wrong_topic,
    DETACHED: _detached,
    EXPIRES: _expires,
    RETENTION: _retention,
    NO_RETRY: _no_retry,
    EXACTLY_ONCE: _exactly_once,
    FILTER: _filter,
    ORDERING: _ordering,
}
