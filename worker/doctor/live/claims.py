"""Is a message that reaches two instances handled once?"""

from collections.abc import Iterator

from worker.claims.firestore import COLLECTION
from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live import names
from worker.doctor.live.commands import PROVISION, gcloud, grant_on_project, set_variable
from worker.doctor.live.grants import USE_FIRESTORE, lacks
from worker.doctor.live.serving import serving_of, settings_of
from worker.doctor.live.snapshot import Live, Skipped, known, there
from worker.doctor.settings.variables import CLAIMS_NOT_SHARED

_NATIVE = "FIRESTORE_NATIVE"
_SET = ("ACTIVE", "CREATING")  # states of a TTL policy that is, or will be, at work

MISSING = Check(
    "claims-database-missing", Severity.ERROR,
    "the database of the claims is there",
    "No message is handled: each is answered 503 and comes again.",
    PROVISION,
)  # fmt: skip
MODE = Check(
    "claims-database-mode", Severity.ERROR,
    "the database of the claims is in Firestore's native mode",
    "No message is handled: the API of claims is refused in Datastore mode.",
    "gcloud run services update SERVICE --update-env-vars=CLAIMS=firestore:DATABASE",
)  # fmt: skip
NO_ROLE = Check(
    "claims-not-writable", Severity.ERROR,
    "the account that the service runs as may use the database of the claims",
    "No message is handled: each is answered 503 and comes again.",
    PROVISION,
)  # fmt: skip
NO_TTL = Check(
    "claims-no-ttl", Severity.WARNING,
    "claims that have expired are deleted",
    "The collection grows with every message, and is paid for.",
    PROVISION,
)  # fmt: skip


def _memory(live: Live, deployment: Deployment) -> Iterator[Finding]:
    settings, instances = settings_of(live, deployment), serving_of(live).max_instances
    if settings.claims == "memory" and (instances > 1 or settings.workers > 1):
        what = f"CLAIMS is memory, with up to {instances} instances of {settings.workers} processes"
        shared = deployment.claims if deployment.database else "firestore"
        fix = set_variable(deployment, "CLAIMS", shared)
        yield found(CLAIMS_NOT_SHARED, deployment.service_name, what, fix)


def _missing(live: Live, deployment: Deployment) -> Iterator[Finding]:
    database = _database(live, deployment)
    if known(live.database) is None:
        words = ("firestore", "databases", "create", f"--database={database}")
        place = (f"--location={deployment.region}", f"--project={deployment.project}")
        fix = gcloud(*words, *place, "--type=firestore-native")
        yield found(MISSING, _path(live, deployment), "CLAIMS names it, and it is not there", fix)


def _mode(live: Live, deployment: Deployment) -> Iterator[Finding]:
    _database(live, deployment)
    kind = there(live.database).get("type", _NATIVE)
    if kind != _NATIVE:
        fix = set_variable(deployment, "CLAIMS", "firestore:claims")
        what = f"it is {kind}; make one named claims in native mode"
        yield found(MODE, _path(live, deployment), what, fix)


def _no_role(live: Live, deployment: Deployment) -> Iterator[Finding]:
    _database(live, deployment)
    account = serving_of(live).account
    if account and lacks(account, USE_FIRESTORE, known(live.policy)):
        fix = grant_on_project(deployment.project, f"serviceAccount:{account}", USE_FIRESTORE[0])
        yield found(NO_ROLE, _path(live, deployment), f"{account} has no such role", fix)


def _no_ttl(live: Live, deployment: Deployment) -> Iterator[Finding]:
    database = _database(live, deployment)
    there(live.database)
    field = known(live.ttl) or {}
    if field.get("ttlConfig", {}).get("state") not in _SET:
        words = ("firestore", "fields", "ttls", "update", "expires_at", "--enable-ttl", "--async")
        place = (f"--collection-group={COLLECTION}", f"--database={database}")
        fix = gcloud(*words, *place, f"--project={deployment.project}")
        what = f"{COLLECTION} has no TTL policy on expires_at"
        yield found(NO_TTL, _path(live, deployment), what, fix)


def _path(live: Live, deployment: Deployment) -> str:
    return f"projects/{deployment.project}/databases/{_database(live, deployment)}"


def _database(live: Live, deployment: Deployment) -> str:
    """The database. Raises Skipped where claims are kept elsewhere."""
    database = names.database(settings_of(live, deployment), deployment)
    if not database:
        raise Skipped
    return database


LOOKS = {
    CLAIMS_NOT_SHARED: _memory,
    MISSING: _missing,
    MODE: _mode,
    NO_ROLE: _no_role,
    NO_TTL: _no_ttl,
}
