"""Are files that handlers make kept, and by nobody else to be read?"""

from collections.abc import Iterator

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live import names
from worker.doctor.live.commands import PROVISION, gcloud, grant_on_bucket, set_variable
from worker.doctor.live.grants import WRITE_FILES, lacks
from worker.doctor.live.serving import serving_of, settings_of
from worker.doctor.live.snapshot import Live, Skipped, known, there
from worker.doctor.settings.variables import ARTIFACTS_FOLDER, BUILDS_NOWHERE

_PREVENTED = "enforced"

MISSING = Check(
    "artifacts-bucket-missing", Severity.ERROR,
    "the bucket of the artifacts is there",
    "A message whose handler keeps files is answered 503 and comes again.",
    PROVISION,
)  # fmt: skip
NO_ROLE = Check(
    "artifacts-not-writable", Severity.ERROR,
    "the account that the service runs as may write to the bucket of the artifacts",
    "A message whose handler keeps files is answered 503 and comes again.",
    PROVISION,
)  # fmt: skip
OPEN = Check(
    "artifacts-may-be-public", Severity.WARNING,
    "nobody can make the artifacts public",
    "One wrong grant, and everybody can read what handlers made.",
    "gcloud storage buckets update gs://BUCKET --public-access-prevention",
)  # fmt: skip


def _folder(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if settings_of(live, deployment).artifacts.startswith("folder:"):
        fix = set_variable(deployment, "ARTIFACTS", _wanted(deployment))
        yield found(ARTIFACTS_FOLDER, deployment.service_name, "ARTIFACTS is a folder", fix)


def _nowhere(live: Live, deployment: Deployment) -> Iterator[Finding]:
    settings = settings_of(live, deployment)
    if settings.builds_unknown and settings.artifacts == "none":
        fix = set_variable(deployment, "ARTIFACTS", _wanted(deployment))
        what = "UNKNOWN_FEATURE is build, and ARTIFACTS none"
        yield found(BUILDS_NOWHERE, deployment.service_name, what, fix)


def _wanted(deployment: Deployment) -> str:
    return deployment.artifacts if deployment.bucket else "gs://BUCKET/PREFIX"


def _missing(live: Live, deployment: Deployment) -> Iterator[Finding]:
    bucket = _bucket(live, deployment)
    if known(live.bucket) is None:
        place = (f"--location={deployment.region}", f"--project={deployment.project}")
        private = ("--uniform-bucket-level-access", "--public-access-prevention")
        fix = gcloud("storage", "buckets", "create", bucket, *place, *private)
        yield found(MISSING, bucket, "ARTIFACTS names it, and it is not there", fix)


def _no_role(live: Live, deployment: Deployment) -> Iterator[Finding]:
    bucket, account = _bucket(live, deployment), serving_of(live).account
    policies = (there(live.bucket_policy), known(live.policy))
    if account and lacks(account, WRITE_FILES, *policies):
        fix = grant_on_bucket(bucket, account, WRITE_FILES[0])
        yield found(NO_ROLE, bucket, f"{account} has no such role", fix)


def _open(live: Live, deployment: Deployment) -> Iterator[Finding]:
    bucket = _bucket(live, deployment)
    access = there(live.bucket).get("iamConfiguration", {})
    if access.get("publicAccessPrevention") != _PREVENTED:
        fix = gcloud("storage", "buckets", "update", bucket, "--public-access-prevention")
        yield found(OPEN, bucket, "it has no public access prevention of its own", fix)


def _bucket(live: Live, deployment: Deployment) -> str:
    """`gs://BUCKET`. Raises Skipped where artifacts are kept elsewhere."""
    bucket = names.bucket(settings_of(live, deployment), deployment)
    if not bucket:
        raise Skipped
    return f"gs://{bucket}"


LOOKS = {
    ARTIFACTS_FOLDER: _folder,
    BUILDS_NOWHERE: _nowhere,
    MISSING: _missing,
    NO_ROLE: _no_role,
    OPEN: _open,
}
