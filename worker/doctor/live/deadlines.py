"""Do Pub/Sub, Cloud Run and the worker agree on how long a push may take?"""

from collections.abc import Iterator

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.commands import change_service, change_subscription, set_variable
from worker.doctor.live.serving import serving_of, settings_of
from worker.doctor.live.snapshot import Live, there
from worker.doctor.live.subscription import retention_seconds
from worker.doctor.settings.capacity import ACK_LONG, ACK_SHORT, TIMEOUT_SHORT

_ACK_SECONDS = 10  # Pub/Sub's default

FORGETS = Check(
    "claims-forget-early", Severity.WARNING,
    "CLAIM_RETENTION_SECONDS is at least the subscription's message retention",
    "A message that comes again late is handled a second time.",
    "gcloud run services update SERVICE --update-env-vars=CLAIM_RETENTION_SECONDS=604800",
)  # fmt: skip


def _ack_short(live: Live, deployment: Deployment) -> Iterator[Finding]:
    given, believed = _ack_seconds(live), settings_of(live, deployment).ack_deadline_seconds
    name = deployment.subscription_name(deployment.subscription)
    if given < believed:
        what = f"it is {given} s, and the worker believes in {believed} s (ACK_DEADLINE_SECONDS)"
        yield found(ACK_SHORT, name, what, change_subscription(name, f"--ack-deadline={believed}"))


def _ack_long(live: Live, deployment: Deployment) -> Iterator[Finding]:
    given, believed = _ack_seconds(live), settings_of(live, deployment).ack_deadline_seconds
    if given > believed:
        what = f"the subscription gives {given} s, ACK_DEADLINE_SECONDS is {believed}"
        fix = set_variable(deployment, "ACK_DEADLINE_SECONDS", given)
        yield found(ACK_LONG, deployment.service_name, what, fix)


def _timeout_short(live: Live, deployment: Deployment) -> Iterator[Finding]:
    timeout, ack = serving_of(live).timeout_seconds, _ack_seconds(live)
    if timeout < ack:
        what = f"its request timeout is {timeout:g} s, the ack deadline {ack} s"
        fix = change_service(deployment, f"--timeout={deployment.timeout_seconds}")
        yield found(TIMEOUT_SHORT, deployment.service_name, what, fix)


def _forgets(live: Live, deployment: Deployment) -> Iterator[Finding]:
    kept = retention_seconds(there(live.subscription))
    remembered = settings_of(live, deployment).claim_retention_seconds
    if remembered < kept:
        what = f"it keeps messages {kept:g} s, and CLAIM_RETENTION_SECONDS is {remembered}"
        fix = set_variable(deployment, "CLAIM_RETENTION_SECONDS", int(kept))
        yield found(FORGETS, deployment.subscription_name(deployment.subscription), what, fix)


def _ack_seconds(live: Live) -> int:
    return int(there(live.subscription).get("ackDeadlineSeconds") or _ACK_SECONDS)


LOOKS = {
    ACK_SHORT: _ack_short,
    ACK_LONG: _ack_long,
    TIMEOUT_SHORT: _timeout_short,
    FORGETS: _forgets,
}
