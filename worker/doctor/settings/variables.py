"""Are the variables of the deployed worker settings that it knows, with values that it takes?"""

import difflib
from collections.abc import Iterator

from worker.config import Settings, SettingsInvalid, read_settings
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.settings.deployed import Deployed

INVALID = Check(
    "settings-invalid",
    Severity.ERROR,
    "the worker takes each setting as it is deployed",
    "The worker does not start: the new revision never becomes ready.",
    "give it what docs/configuration.md says",
)
MISSPELT = Check(
    "variable-misspelt",
    Severity.WARNING,
    "no variable is nearly a setting",
    "The worker does not read it: the default holds.",
    "correct its name",
)
UNKNOWN = Check(
    "variable-unknown",
    Severity.NOTE,
    "each variable is a setting of the worker",
    "The worker does not read it; a handler may.",
    "remove it, unless a handler needs it",
)
RESERVED = Check(
    "variable-reserved",
    Severity.ERROR,
    "no variable is one that Cloud Run sets itself",
    "Cloud Run refuses the deployment.",
    "remove it from the environment; `--port` says the port",
)
LOOPBACK = Check(
    "host-loopback",
    Severity.ERROR,
    "the worker listens where Cloud Run can reach it",
    "Cloud Run finds nobody on the port: the revision never becomes ready.",
    "remove HOST: on Cloud Run its default is 0.0.0.0",
)
QUARANTINE_NONE = Check(
    "quarantine-none",
    Severity.WARNING,
    "rejected messages are quarantined",
    "A message that can never succeed is delivered until the dead-letter policy takes it, "
    "and its backoff slows the good ones.",
    "set QUARANTINE=topic:projects/PROJECT/topics/TOPIC",
)
QUARANTINE_FOLDER = Check(
    "quarantine-folder",
    Severity.ERROR,
    "the quarantine outlives the instance",
    "A folder on Cloud Run is memory: what was rejected, and acked, is lost with the instance.",
    "set QUARANTINE=topic:projects/PROJECT/topics/TOPIC, or mount a volume there",
)
ARTIFACTS_FOLDER = Check(
    "artifacts-folder",
    Severity.ERROR,
    "artifacts outlive the instance",
    "A folder on Cloud Run is memory: what a handler kept, and said so, is lost with the instance.",
    "set ARTIFACTS=gs://BUCKET/PREFIX, or mount a volume there",
)
BUILDS_NOWHERE = Check(
    "builds-nowhere",
    Severity.ERROR,
    "a worker that builds unknown features has a place for them",
    "What is built cannot be kept: each such message is answered 503 and comes again.",
    "set ARTIFACTS=gs://BUCKET/PREFIX, or UNKNOWN_FEATURE=reject",
)
CLAIMS_NOT_SHARED = Check(
    "claims-memory",
    Severity.WARNING,
    "claims are shared by all processes and instances",
    "A redelivery that reaches another instance or process runs again, beside the first one.",
    "set CLAIMS=firestore or CLAIMS=redis://..., or --max-instances=1 with WORKERS=1",
)
LOG_LEVEL = Check(
    "log-level-high",
    Severity.NOTE,
    "what handlers log as INFO is written",
    "Entries such as smoke_test.passed are not there; the canonical entry always is.",
    "set LOG_LEVEL=INFO, or leave it out",
)
EMULATOR = Check(
    "talks-to-emulator",
    Severity.ERROR,
    "no variable sends the worker to an emulator",
    "Claims and quarantine go to an address where nobody listens: messages are answered 5xx.",
    "remove the variable",
)
LOG_SINK = Check(
    "log-sink-api",
    Severity.WARNING,
    "entries go to stdout, which Cloud Run reads",
    "Each push waits for the Logging API, and queries for the service's entries find none.",
    "set LOG_SINK=stdout, or leave it out",
)
CHECKS = (
    INVALID, MISSPELT, UNKNOWN, RESERVED, EMULATOR, LOOPBACK, QUARANTINE_NONE, QUARANTINE_FOLDER,
    ARTIFACTS_FOLDER, BUILDS_NOWHERE, CLAIMS_NOT_SHARED, LOG_SINK, LOG_LEVEL,
)  # fmt: skip

_OF_CLOUD_RUN = ("PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION")
_OF_OTHERS = ("PYTHON", "GOOGLE_", "GCE_", "CLOUDSDK_", "MALLOC_")  # libraries' own
_ALIKE = 0.8
_LOOPBACK = ("127.", "localhost", "::1")
_HIGH = ("NOTICE", "WARNING", "ERROR", "CRITICAL")


def examine(deployed: Deployed) -> Iterator[Finding]:
    """What is wrong with its variables."""
    for name in deployed.environment:
        yield from _name(deployed, name)
    yield from _values(deployed)
    yield from _meaning(deployed)


def _name(deployed: Deployed, name: str) -> Iterator[Finding]:
    if name in _OF_CLOUD_RUN:
        yield found(RESERVED, deployed.where, f"{name} is set")
        return
    if name.endswith("_EMULATOR_HOST") or name.startswith("CLOUDSDK_API_ENDPOINT_OVERRIDES_"):
        yield found(EMULATOR, deployed.where, f"{name} is set")
        return
    if name in Settings.variables() or name.startswith(_OF_OTHERS):
        return
    near = difflib.get_close_matches(name.upper(), Settings.variables(), n=1, cutoff=_ALIKE)
    if near:
        what = f"{name[:60]} is no setting; did you mean {near[0]}?"
        yield found(MISSPELT, deployed.where, what, f"name it {near[0]}")
    else:
        yield found(UNKNOWN, deployed.where, f"{name[:60]} is no setting of the worker")


def _values(deployed: Deployed) -> Iterator[Finding]:
    """One finding for each value that does not fit; no value is repeated, it may be a secret."""
    known = {name: value for name, value in deployed.environment.items() if value is not None}
    for name in Settings.variables():
        if known.get(name) and _problems({name: known[name]}, f"{name} is '"):
            yield found(
                INVALID, deployed.where, f"{name} does not fit (want {Settings.want(name)})"
            )
    unclear = deployed.partly or len(known) < len(deployed.environment)
    # On Cloud Run the metadata server says the project; PUSH_AUTH has a check of its own.
    given = {**known, "GOOGLE_CLOUD_PROJECT": known.get("GOOGLE_CLOUD_PROJECT") or "some-project"}
    for problem in [] if unclear else _problems(given, " is not set ("):
        yield found(INVALID, deployed.where, problem)


def _problems(environment: dict[str, str], mark: str) -> list[str]:
    try:
        read_settings(environment)
    except SettingsInvalid as error:
        return [one for one in str(error).split("; ") if mark in one]
    return []


def _meaning(deployed: Deployed) -> Iterator[Finding]:
    where = deployed.where
    if (deployed.variable("HOST") or "").startswith(_LOOPBACK):
        yield found(LOOPBACK, where, "HOST is a loopback address")
    if deployed.variable("LOG_SINK") == "api":
        yield found(LOG_SINK, where, "LOG_SINK is api")
    quarantine = deployed.variable("QUARANTINE", "none")
    if quarantine == "none":
        yield found(QUARANTINE_NONE, where, "QUARANTINE is none, its default on Cloud Run")
    if (quarantine or "").startswith("folder:"):
        yield found(QUARANTINE_FOLDER, where, "QUARANTINE is a folder")
    artifacts = deployed.variable("ARTIFACTS", "none")
    if (artifacts or "").startswith("folder:"):
        yield found(ARTIFACTS_FOLDER, where, "ARTIFACTS is a folder")
    if artifacts == "none" and deployed.variable("UNKNOWN_FEATURE") == "build":
        yield found(BUILDS_NOWHERE, where, "UNKNOWN_FEATURE is build, and ARTIFACTS none")
    most, processes = deployed.max_instances, deployed.setting("WORKERS")
    alone = (most or 1) == (processes or 1) == 1
    if deployed.variable("CLAIMS", "memory") == "memory" and not alone:
        what = f"CLAIMS=memory with up to {most} instances of {processes} process(es)"
        yield found(CLAIMS_NOT_SHARED, where, what)
    level = (deployed.variable("LOG_LEVEL") or "INFO").upper()
    if level in _HIGH:
        yield found(LOG_LEVEL, where, f"LOG_LEVEL is {level}")
