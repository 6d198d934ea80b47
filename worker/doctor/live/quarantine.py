"""Are messages that the worker rejects kept, for good, and does somebody look?"""

from collections.abc import Iterator

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live import held, names
from worker.doctor.live.commands import PROVISION, grant, set_variable
from worker.doctor.live.grants import PUBLISH, lacks
from worker.doctor.live.serving import serving_of, settings_of
from worker.doctor.live.snapshot import Live, Skipped, known, there
from worker.doctor.settings.variables import QUARANTINE_FOLDER, QUARANTINE_NONE

MISSING = Check(
    "quarantine-topic-missing", Severity.ERROR,
    "the quarantine topic is there",
    "What is rejected cannot be kept: it is answered 500 and comes again.",
    PROVISION,
)  # fmt: skip
CANNOT_PUBLISH = Check(
    "quarantine-not-writable", Severity.ERROR,
    "the account that the service runs as may publish to the quarantine topic",
    "What is rejected cannot be kept: it is answered 500 and comes again.",
    PROVISION,
)  # fmt: skip
UNREAD = Check(
    "quarantine-unread", Severity.ERROR,
    "the quarantine topic has a subscription",
    "What is rejected is acked and lost: a topic without a subscription keeps nothing.",
    PROVISION,
)  # fmt: skip
EXPIRES = Check(
    "quarantine-expires", Severity.WARNING,
    "the quarantine subscription never expires",
    "After a quiet time Pub/Sub deletes it; rejected messages are lost from then on.",
    PROVISION,
)  # fmt: skip
BRIEF = Check(
    "quarantine-retention-short", Severity.WARNING,
    "the quarantine subscription keeps messages for a week or more",
    "Rejected messages are lost before anybody has looked.",
    PROVISION,
)  # fmt: skip
WAITING = Check(
    "quarantine-waiting", Severity.WARNING,
    "no rejected messages wait",
    "Messages were rejected, and nobody has looked.",
    "python -m worker quarantine list --from SUBSCRIPTION",
)  # fmt: skip


def _none(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if settings_of(live, deployment).quarantine == "none":
        yield _moved(QUARANTINE_NONE, deployment, "QUARANTINE is none")


def _folder(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if settings_of(live, deployment).quarantine.startswith("folder:"):
        yield _moved(QUARANTINE_FOLDER, deployment, "QUARANTINE is a folder")


def _moved(check: Check, deployment: Deployment, what: str) -> Finding:
    topic = deployment.topic_name(deployment.quarantine_topic)
    fix = set_variable(deployment, "QUARANTINE", f"topic:{topic}")
    return found(check, deployment.service_name, what, fix)


def _missing(live: Live, deployment: Deployment) -> Iterator[Finding]:
    topic = _name(live, deployment)
    if known(live.quarantine_topic) is None:
        yield found(MISSING, topic, "QUARANTINE names it, and it is not there")


def _cannot_publish(live: Live, deployment: Deployment) -> Iterator[Finding]:
    topic, account = _name(live, deployment), serving_of(live).account
    there(live.quarantine_topic)
    policies = (there(live.quarantine_policy), known(live.policy))
    if account and lacks(account, PUBLISH, *policies):
        fix = grant("topics", topic, account, PUBLISH[0])
        yield found(CANNOT_PUBLISH, topic, f"{account} has no such role", fix)


def _name(live: Live, deployment: Deployment) -> str:
    """The quarantine topic. Raises Skipped where the worker quarantines elsewhere."""
    topic = names.quarantine_topic(settings_of(live, deployment), deployment)
    if not topic:
        raise Skipped
    return topic


def _held(live: Live, deployment: Deployment) -> held.Held:
    there(live.quarantine_topic)
    return held.Held.of(_name(live, deployment), live)


LOOKS = {
    QUARANTINE_NONE: _none,
    QUARANTINE_FOLDER: _folder,
    MISSING: _missing,
    CANNOT_PUBLISH: _cannot_publish,
    **held.looks(_held, (UNREAD, EXPIRES, BRIEF, WAITING)),
}
