"""Are messages that Pub/Sub gives up on kept, for good, and does somebody look?"""

from collections.abc import Iterator

from worker.deployment import Deployment, pubsub_agent
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live import held, names
from worker.doctor.live.commands import PROVISION, change_subscription, grant
from worker.doctor.live.grants import PUBLISH, SUBSCRIBE, lacks
from worker.doctor.live.snapshot import Live, Skipped, known, there

_FEW = 10  # attempts: those that were answered busy, overloaded and draining count, too
_DEFAULT_ATTEMPTS = 5

NO_POLICY = Check(
    "no-dead-letter-policy", Severity.WARNING,
    "the push subscription has a dead-letter policy",
    "A message that always fails comes again until it is too old, and is lost then.",
    PROVISION,
)  # fmt: skip
MISSING = Check(
    "dead-letter-topic-missing", Severity.ERROR,
    "the dead-letter topic is there",
    "Pub/Sub cannot forward what it gives up on.",
    PROVISION,
)  # fmt: skip
CANNOT_PUBLISH = Check(
    "dead-letter-cannot-publish", Severity.ERROR,
    "Pub/Sub's own account may publish to the dead-letter topic",
    "Nothing is ever forwarded, and nothing says so.",
    PROVISION,
)  # fmt: skip
CANNOT_ACK = Check(
    "dead-letter-cannot-ack", Severity.ERROR,
    "Pub/Sub's own account may take messages from the push subscription",
    "What is forwarded is delivered again all the same, and forwarded again.",
    PROVISION,
)  # fmt: skip
UNREAD = Check(
    "dead-letter-unread", Severity.ERROR,
    "the dead-letter topic has a subscription",
    "What Pub/Sub gives up on is lost: a topic without a subscription keeps nothing.",
    PROVISION,
)  # fmt: skip
EXPIRES = Check(
    "dead-letter-expires", Severity.WARNING,
    "the dead-letter subscription never expires",
    "After a quiet time Pub/Sub deletes it; dead letters are lost from then on.",
    PROVISION,
)  # fmt: skip
BRIEF = Check(
    "dead-letter-retention-short", Severity.WARNING,
    "the dead-letter subscription keeps messages for a week or more",
    "Dead letters are lost before anybody has looked.",
    PROVISION,
)  # fmt: skip
FEW_ATTEMPTS = Check(
    "attempts-few", Severity.WARNING,
    "a message has ten delivery attempts or more",
    "Busy, overloaded and draining answers count: a short outage makes dead letters.",
    "gcloud pubsub subscriptions update SUBSCRIPTION --max-delivery-attempts=20",
)  # fmt: skip
WAITING = Check(
    "dead-letters-waiting", Severity.WARNING,
    "no dead letters wait",
    "Messages failed for good, and nobody has looked.",
    "python -m worker quarantine list --from SUBSCRIPTION",
)  # fmt: skip


def _no_policy(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if not there(live.subscription).get("deadLetterPolicy"):
        name = deployment.subscription_name(deployment.subscription)
        topic = deployment.topic_name(deployment.dead_letter_topic)
        attempts = f"--max-delivery-attempts={deployment.max_delivery_attempts}"
        fix = change_subscription(name, f"--dead-letter-topic={topic}", attempts)
        yield found(NO_POLICY, name, "it has none", fix)


def _missing(live: Live, _deployment: Deployment) -> Iterator[Finding]:
    policy = there(live.subscription).get("deadLetterPolicy")
    if policy and known(live.dead_letter_topic) is None:
        topic = str(policy.get("deadLetterTopic"))
        yield found(MISSING, topic, "the dead-letter policy names it, and it is not there")


def _cannot_publish(live: Live, deployment: Deployment) -> Iterator[Finding]:
    topic, agent = _topic(live, deployment), pubsub_agent(known(live.number))
    if lacks(agent, PUBLISH, there(live.dead_letter_policy), known(live.policy)):
        fix = grant("topics", topic, agent, PUBLISH[0])
        yield found(CANNOT_PUBLISH, topic, f"{agent} has no such role", fix)


def _cannot_ack(live: Live, deployment: Deployment) -> Iterator[Finding]:
    _topic(live, deployment)
    agent = pubsub_agent(known(live.number))
    if lacks(agent, SUBSCRIBE, there(live.subscription_policy), known(live.policy)):
        name = deployment.subscription_name(deployment.subscription)
        fix = grant("subscriptions", name, agent, SUBSCRIBE[0])
        yield found(CANNOT_ACK, name, f"{agent} has no such role", fix)


def _few_attempts(live: Live, deployment: Deployment) -> Iterator[Finding]:
    policy = there(there(live.subscription).get("deadLetterPolicy"))
    attempts = int(policy.get("maxDeliveryAttempts") or _DEFAULT_ATTEMPTS)
    if attempts < min(_FEW, deployment.max_delivery_attempts):
        name = deployment.subscription_name(deployment.subscription)
        flag = f"--max-delivery-attempts={deployment.max_delivery_attempts}"
        yield found(FEW_ATTEMPTS, name, f"it has {attempts}", change_subscription(name, flag))


def _topic(live: Live, deployment: Deployment) -> str:
    """The dead-letter topic. Raises Skipped where there is none."""
    there(live.dead_letter_topic)
    there(live.subscription)
    topic = names.dead_letter_topic(live.subscription, deployment)
    if not topic:
        raise Skipped
    return topic


def _held(live: Live, deployment: Deployment) -> held.Held:
    return held.Held.of(_topic(live, deployment), live)


LOOKS = {
    NO_POLICY: _no_policy,
    MISSING: _missing,
    CANNOT_PUBLISH: _cannot_publish,
    CANNOT_ACK: _cannot_ack,
    FEW_ATTEMPTS: _few_attempts,
    **held.looks(_held, (UNREAD, EXPIRES, BRIEF, WAITING)),
}
