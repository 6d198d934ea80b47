"""Does cloudbuild.yaml deploy what deploy.toml says?"""

from collections.abc import Iterator, Mapping

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.cloudbuild.reading import FILE, Build
from worker.doctor.finding import Finding, Severity
from worker.doctor.folder import place
from worker.doctor.settings.deployed import Deployed

DIFFERS = Check(
    "deployment-differs",
    Severity.WARNING,
    "cloudbuild.yaml and deploy.toml agree",
    "provision, smoke and doctor look at another service, account or topic than the one deployed.",
    "change one of them; the substitutions' defaults in cloudbuild.yaml repeat deploy.toml",
)
NO_TOOLS = Check(
    "build-tools-missing",
    Severity.ERROR,
    "the image of a worker that builds unknown features has the tools for it",
    "No feature is built: each such message fails, and says that the tools are missing.",
    "set _REQUIREMENTS=requirements-build.txt, or UNKNOWN_FEATURE=reject",
)
CHECKS = (DIFFERS, NO_TOOLS)
_WITH_TOOLS = "REQUIREMENTS=requirements-build.txt"


def examine(build: Build, deployed: Deployed, deployment: Deployment) -> Iterator[Finding]:
    """Each setting that differs, once: as a substitution, or else as it is deployed."""
    yield from _tools(build, deployed)
    wanted = {name: str(value) for name, value in deployment.model_dump(mode="json").items()}
    said = set()
    for name, node in build.substitutions.items():
        setting = name.removeprefix("_").lower()
        if setting in wanted:
            given = {setting: build.resolve(node.text)}
            said.add(setting)
            yield from _differing(given, wanted, place(FILE, node.line))
    given = {name: value for name, value in _given(deployed) if name not in said and value}
    yield from _differing(given, wanted, deployed.where)


def _tools(build: Build, deployed: Deployed) -> Iterator[Finding]:
    """An image that is built elsewhere is not known here."""
    if deployed.variable("UNKNOWN_FEATURE") != "build":
        return
    builds = [run.command.words for run in build.runs() if run.starts("docker", "build")]
    if builds and not any(_WITH_TOOLS in word for words in builds for word in words):
        what = "UNKNOWN_FEATURE is build, and the image is built without requirements-build.txt"
        yield found(NO_TOOLS, deployed.where, what)


def _differing(
    given: Mapping[str, str], wanted: Mapping[str, str], where: str
) -> Iterator[Finding]:
    for setting, value in given.items():
        if value != wanted[setting]:
            # An address of claims may hold a password.
            hidden = setting == "claims" and "://" in value + wanted[setting]
            values = "" if hidden else f": {value!r} here, {wanted[setting]!r} there"
            yield found(DIFFERS, where, f"{setting} is not as in deploy.toml{values}")


def _given(deployed: Deployed) -> Iterator[tuple[str, str]]:
    """What is deployed, by the settings of deploy.toml; "" where that is not known."""
    yield "region", deployed.flag("region") or ""
    yield "service", _service(deployed)
    yield "runtime_account", (deployed.flag("service-account") or "").partition("@")[0]
    quarantine = deployed.variable("QUARANTINE") or ""
    is_topic = quarantine.startswith("topic:")
    yield "quarantine_topic", quarantine.rpartition("/")[2] if is_topic else ""
    yield "claims", deployed.variable("CLAIMS", "memory") or ""
    yield "artifacts", deployed.variable("ARTIFACTS", "none") or ""
    yield "unknown_feature", deployed.variable("UNKNOWN_FEATURE", "reject") or ""
    numbers = {
        "handler_threads": deployed.setting("HANDLER_THREADS"),
        "memory_mib": deployed.memory_mib,
        "max_instances": deployed.max_instances,
        "timeout_seconds": deployed.timeout_seconds,
    }
    for name, number in numbers.items():
        yield name, "" if number is None else str(number)


def _service(deployed: Deployed) -> str:
    """The first word after `gcloud run deploy` that is no flag."""
    after = deployed.words[deployed.words.index("deploy") + 1 :]
    name = next((word for word in after if not word.startswith("-")), "")
    return name if name.replace("-", "").isalnum() else ""
