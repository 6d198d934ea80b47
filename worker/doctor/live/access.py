"""Who checks that a push is ours: does PUSH_AUTH agree with the IAM policy and the ingress?"""

from collections.abc import Iterator

from worker.config import PushAuth
from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.commands import change_service, gcloud, invoke, set_variable
from worker.doctor.live.grants import EVERYBODY, INVOKE, is_public
from worker.doctor.live.serving import settings_of
from worker.doctor.live.snapshot import Live, known, there
from worker.doctor.settings.access import NOBODY, NONE, SIGNATURE_REMOVED, TRUSTS_PUBLIC

_ALL = "INGRESS_TRAFFIC_ALL"

INTERNAL = Check(
    "ingress-internal", Severity.NOTE,
    "the service takes requests from outside its project's networks",
    "Pub/Sub's pushes from this project arrive; those from another, and smoke's own, do not.",
    "gcloud run services update SERVICE --ingress=all",
)  # fmt: skip


def _trusts_iam(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if settings_of(live, deployment).push_auth == PushAuth.CLOUD_RUN_IAM and _public(live):
        yield _opened(TRUSTS_PUBLIC, live, deployment)


def _nobody_checks(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if settings_of(live, deployment).push_auth == PushAuth.NONE and _public(live):
        yield _opened(NOBODY, live, deployment)


def _opened(check: Check, live: Live, deployment: Deployment) -> Finding:
    """How the service was made public, and how that is undone."""
    if _unchecked(live):
        fix = change_service(deployment, "--invoker-iam-check")
        return found(check, deployment.service_name, "its IAM check is switched off", fix)
    granted = {member for role in INVOKE for member in there(live.service_policy).members(role)}
    member = next((one for one in EVERYBODY if one in granted), "")
    if member:
        what = f"{member} may call it"
        return found(check, deployment.service_name, what, invoke(deployment, "remove", member))
    words = ("projects", "remove-iam-policy-binding", deployment.project)
    fix = gcloud(*words, "--role=roles/run.invoker", "--member=allUsers", "--all")
    what = "the project's policy lets everybody call it"
    return found(check, deployment.service_name, what, fix)


def _auth_none(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if settings_of(live, deployment).push_auth == PushAuth.NONE and not _public(live):
        fix = set_variable(deployment, "PUSH_AUTH", PushAuth.CLOUD_RUN_IAM.value)
        what = "PUSH_AUTH is none, and IAM protects the service"
        yield found(NONE, deployment.service_name, what, fix)


def _signature(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if settings_of(live, deployment).push_auth == PushAuth.OIDC and not _public(live):
        fix = set_variable(deployment, "PUSH_AUTH", PushAuth.CLOUD_RUN_IAM.value)
        what = "PUSH_AUTH is oidc, and IAM checks the token before"
        yield found(SIGNATURE_REMOVED, deployment.service_name, what, fix)


def _internal(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if there(live.service).get("ingress", _ALL) != _ALL:
        fix = change_service(deployment, "--ingress=all")
        yield found(INTERNAL, deployment.service_name, "its ingress is internal", fix)


def _public(live: Live) -> bool:
    return _unchecked(live) or is_public(there(live.service_policy), known(live.policy))


def _unchecked(live: Live) -> bool:
    return bool(there(live.service).get("invokerIamDisabled"))


def is_protected(live: Live) -> bool:
    """Whether IAM turns away who has no role. Raises Skipped where nobody knows."""
    return not _public(live)


LOOKS = {
    TRUSTS_PUBLIC: _trusts_iam,
    NOBODY: _nobody_checks,
    NONE: _auth_none,
    SIGNATURE_REMOVED: _signature,
    INTERNAL: _internal,
}
