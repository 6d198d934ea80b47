"""Does the newest revision start, and does it get the traffic?"""

import difflib
from collections.abc import Iterator

from worker.config import LogSink, Settings, SettingsInvalid
from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.commands import BUILD, change_service, gcloud, read_log, set_variable
from worker.doctor.live.names import short
from worker.doctor.live.serving import LATEST, serving_of, settings_of
from worker.doctor.live.snapshot import Json, Live, known, there
from worker.doctor.settings.variables import INVALID, MISSPELT, UNKNOWN

_FAILED = "CONDITION_FAILED"
_WHOLE = 100  # percent
_EMULATORS = ("_EMULATOR_HOST", "CLOUDSDK_API_ENDPOINT_OVERRIDES_")
# Read by what the worker is built on, or said by Cloud Run.
_FAMILIES = ("K_", "PYTHON", "GOOGLE_", "GCLOUD_", "OTEL_", "CLOUD_RUN_", "MALLOC_")
_ALIKE = 0.8  # of a name's letters

MISSING = Check(
    "service-missing", Severity.ERROR,
    "the Cloud Run service is there",
    "Messages wait: there is no worker to push them to.",
    BUILD,
)  # fmt: skip
NOT_READY = Check(
    "revision-not-ready", Severity.ERROR,
    "the newest revision is ready",
    "What was deployed last does not start; an older revision serves, or none.",
    "gcloud logging read 'resource.labels.revision_name=\"REVISION\" AND severity>=ERROR'",
)  # fmt: skip
TRAFFIC = Check(
    "traffic-elsewhere", Severity.NOTE,
    "the newest revision gets all traffic",
    "A canary stayed, or a deployment was rolled back: what was deployed last does not serve.",
    "gcloud run services update-traffic SERVICE --to-latest",
)  # fmt: skip
EMULATOR = Check(
    "talks-to-emulator", Severity.ERROR,
    "no variable sends the worker to an emulator",
    "Claims and quarantine go to an address where nobody listens: messages are answered 5xx.",
    "gcloud run services update SERVICE --remove-env-vars=NAME",
)  # fmt: skip
SINK = Check(
    "log-sink-api", Severity.WARNING,
    "entries go to stdout, which Cloud Run reads",
    "Each push waits for the Logging API, and queries for the service's entries find none.",
    "gcloud run services update SERVICE --update-env-vars=LOG_SINK=stdout",
)  # fmt: skip


def _missing(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if known(live.service) is None:
        words = (f"--project={deployment.project}", f"--substitutions=_REGION={deployment.region}")
        fix = f"{BUILD} {' '.join(words)}"
        yield found(MISSING, deployment.service_name, "it is not there", fix)


def _not_ready(live: Live, deployment: Deployment) -> Iterator[Finding]:
    service = there(live.service)
    newest, ready = service.get("latestCreatedRevision"), service.get("latestReadyRevision")
    condition = service.get("terminalCondition", {})
    if condition.get("state") != _FAILED and (newest == ready or service.get("reconciling")):
        return
    said = " ".join(str(condition.get("message") or "Cloud Run does not say why").split())
    query = f'resource.labels.revision_name="{short(newest)}" AND severity>=ERROR'
    what = f"{short(newest)} is not ready: {said}"
    yield found(NOT_READY, deployment.service_name, what, read_log(deployment, query))


def _traffic(live: Live, deployment: Deployment) -> Iterator[Finding]:
    service = there(live.service)
    newest = short(service.get("latestCreatedRevision"))
    shares = service.get("trafficStatuses") or []
    share = sum(int(one.get("percent", 0)) for one in shares if _is_newest(one, newest))
    if shares and share < _WHOLE:
        words = ("run", "services", "update-traffic", deployment.service, "--to-latest")
        place = (f"--project={deployment.project}", f"--region={deployment.region}")
        what = f"{newest} gets {share} % of the traffic"
        yield found(TRAFFIC, deployment.service_name, what, gcloud(*words, *place))


def _is_newest(share: Json, newest: str) -> bool:
    return share.get("type") == LATEST or short(share.get("revision")) == newest


def _invalid(live: Live, deployment: Deployment) -> Iterator[Finding]:
    try:
        serving_of(live).settings(deployment)
    except SettingsInvalid as error:
        what = f"{_without_values(error)}; mend the deploy step of cloudbuild.yaml"
        yield found(INVALID, deployment.service_name, what, BUILD)


def _without_values(error: SettingsInvalid) -> str:
    """Which settings are not set or do not fit; a value may be a secret."""
    problems = [
        f"{name} is not set" if f"{name} is not set" in str(error) else f"{name} does not fit"
        for name in Settings.variables()
        if f"{name} is " in str(error)
    ]
    return ", ".join(problems)


def _misspelt(live: Live, deployment: Deployment) -> Iterator[Finding]:
    for name in _strange(live):
        meant = _meant(name)
        if meant:
            what = f"{name} is no setting: did you mean {meant}?"
            yield _unset(MISSPELT, deployment, name, what)


def _unknown(live: Live, deployment: Deployment) -> Iterator[Finding]:
    for name in _strange(live):
        if not _meant(name) and not _is_emulator(name):
            yield _unset(UNKNOWN, deployment, name, f"{name} is no setting of the worker")


def _emulator(live: Live, deployment: Deployment) -> Iterator[Finding]:
    for name in serving_of(live).variables:
        if _is_emulator(name):
            yield _unset(EMULATOR, deployment, name, f"{name} is set")


def _unset(check: Check, deployment: Deployment, name: str, what: str) -> Finding:
    fix = change_service(deployment, f"--remove-env-vars={name}")
    return found(check, deployment.service_name, what, fix)


def _strange(live: Live) -> list[str]:
    """The variables that are neither the worker's nor its foundations'."""
    ours = Settings.variables()
    given = serving_of(live).variables
    return [name for name in given if name not in ours and not name.startswith(_FAMILIES)]


def _meant(name: str) -> str:
    close = difflib.get_close_matches(name.upper(), Settings.variables(), 1, _ALIKE)
    return close[0] if close else ""


def _is_emulator(name: str) -> bool:
    return name.endswith(_EMULATORS[0]) or name.startswith(_EMULATORS[1])


def _sink(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if settings_of(live, deployment).log_sink == LogSink.API:
        fix = set_variable(deployment, "LOG_SINK", LogSink.STDOUT.value)
        yield found(SINK, deployment.service_name, "LOG_SINK is api", fix)


LOOKS = {
    MISSING: _missing,
    NOT_READY: _not_ready,
    TRAFFIC: _traffic,
    INVALID: _invalid,
    MISSPELT: _misspelt,
    UNKNOWN: _unknown,
    EMULATOR: _emulator,
    SINK: _sink,
}
