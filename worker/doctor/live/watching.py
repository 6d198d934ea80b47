"""Does somebody hear of trouble, and is there any now?"""

from collections.abc import Iterator

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.commands import PROVISION, SMOKE, enable
from worker.doctor.live.names import bucket, database
from worker.doctor.live.serving import settings_of
from worker.doctor.live.snapshot import Live, Skipped, known, there

_OLD_SECONDS = 600  # the longest that a message can be in its handler
_ACKED = "ack"  # the class of a push that was answered so

API_DISABLED = Check(
    "api-disabled", Severity.ERROR,
    "the APIs that a deployment needs are enabled",
    "What needs the API is refused.",
    "gcloud services enable API",
)  # fmt: skip
NO_ALERTS = Check(
    "alerts-missing", Severity.NOTE,
    "there are alert policies",
    "Nobody hears of crashes, dead letters and messages that wait.",
    PROVISION,
)  # fmt: skip
TELL_NOBODY = Check(
    "alerts-tell-nobody", Severity.NOTE,
    "alert policies notify somebody",
    "An incident is opened in the console, and nobody is told.",
    PROVISION,
)  # fmt: skip
ALERTS_OFF = Check(
    "alerts-off", Severity.NOTE,
    "alert policies are enabled",
    "Nobody hears of what the policy watches.",
    PROVISION,
)  # fmt: skip
OLD = Check(
    "messages-wait", Severity.WARNING,
    "no message waits for long",
    "Messages are not handled, or fail again and again.",
    SMOKE,
)  # fmt: skip
FAIL = Check(
    "pushes-fail", Severity.WARNING,
    "most pushes are acked",
    "Messages come again and again, and Pub/Sub's backoff slows the good ones.",
    SMOKE,
)  # fmt: skip


def _api_disabled(live: Live, deployment: Deployment) -> Iterator[Finding]:
    enabled = known(live.enabled)
    for api in _needed(live, deployment):
        if api not in enabled:
            where = f"projects/{deployment.project}"
            yield found(API_DISABLED, where, f"{api} is off", enable(deployment.project, api))


def _needed(live: Live, deployment: Deployment) -> list[str]:
    names = ["run", "pubsub", "iam", "logging", "monitoring"]
    try:
        settings = settings_of(live, deployment)
    except Skipped:
        settings = None
    if database(settings, deployment):
        names.append("firestore")
    if bucket(settings, deployment):
        names.append("storage")
    return [f"{name}.googleapis.com" for name in names]


def _no_alerts(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if not known(live.alerts):
        yield found(NO_ALERTS, f"projects/{deployment.project}", "there is none of this worker")


def _tell_nobody(live: Live, deployment: Deployment) -> Iterator[Finding]:
    policies = known(live.alerts)
    if policies and not any(one.get("notificationChannels") for one in policies):
        what = "no policy has a channel; set alert_emails in deploy.toml"
        yield found(TELL_NOBODY, f"projects/{deployment.project}", what)


def _alerts_off(live: Live, _deployment: Deployment) -> Iterator[Finding]:
    for one in known(live.alerts):
        if one.get("enabled") is False:
            key = one.get("userLabels", {}).get("alert", "")
            yield found(ALERTS_OFF, str(one.get("name")), f"the policy {key} is off")


def _old(live: Live, deployment: Deployment) -> Iterator[Finding]:
    there(live.subscription)
    age = known(live.oldest_seconds)
    if age > _OLD_SECONDS:
        name = deployment.subscription_name(deployment.subscription)
        yield found(OLD, name, f"the oldest message waits since {age:.0f} s")


def _fail(live: Live, deployment: Deployment) -> Iterator[Finding]:
    there(live.subscription)
    pushes = dict(known(live.pushes))
    acked = pushes.pop(_ACKED, 0)
    if sum(pushes.values()) > acked:
        name = deployment.subscription_name(deployment.subscription)
        failed = ", ".join(f"{count} {kind}" for kind, count in sorted(pushes.items()) if count)
        yield found(FAIL, name, f"of the last pushes {acked} were acked, the others: {failed}")


LOOKS = {
    API_DISABLED: _api_disabled,
    NO_ALERTS: _no_alerts,
    TELL_NOBODY: _tell_nobody,
    ALERTS_OFF: _alerts_off,
    OLD: _old,
    FAIL: _fail,
}
