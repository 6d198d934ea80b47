"""The checks that need no account: the code, the Dockerfile, cloudbuild.yaml, deploy.toml."""

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from worker.deployment import Deployment
from worker.doctor import code, grace
from worker.doctor.catalogue import Check, found
from worker.doctor.cloudbuild import form, gcloud, order, substitutions
from worker.doctor.cloudbuild.reading import FILE as CLOUDBUILD
from worker.doctor.cloudbuild.reading import Build, read_build
from worker.doctor.dockerfile import contents, process
from worker.doctor.dockerfile.ignore import Ignored
from worker.doctor.dockerfile.reading import FILE as DOCKERFILE
from worker.doctor.dockerfile.reading import Dockerfile, read_dockerfile
from worker.doctor.finding import Severity
from worker.doctor.folder import Folder, Unreadable, place
from worker.doctor.image import checks as image
from worker.doctor.image import running
from worker.doctor.report import Report, examined, skipped
from worker.doctor.settings import access, agreement, capacity, variables
from worker.doctor.settings.deployed import Deployed, deployments

DEPLOYMENT = Check(
    "deployment-invalid",
    Severity.ERROR,
    "deploy.toml makes a deployment",
    "provision, smoke and doctor cannot start.",
    "give it what docs/provision.md says",
)
FILE_BROKEN = Check(
    "file-unreadable",
    Severity.ERROR,
    "each file can be read",
    "The tool that needs it fails; nothing of it was checked.",
    "correct the line",
)
LOCK = "requirements.txt"
_PROJECT = "pyproject.toml"

_BUILD = (*form.CHECKS, *substitutions.CHECKS, *order.CHECKS)
_ALONE = (*variables.CHECKS, *access.CHECKS)
_AGAINST_DEPLOYMENT = (*capacity.CHECKS, *agreement.CHECKS)
_SETTINGS = (*_ALONE, *_AGAINST_DEPLOYMENT)
_DOCKERFILE = (*process.CHECKS, *contents.CHECKS)
CHECKS: tuple[Check, ...] = (
    DEPLOYMENT, FILE_BROKEN, *_BUILD, *gcloud.CHECKS, *_SETTINGS, *_DOCKERFILE, *code.LOADING,
    code.NOT_LOCKED, code.PYTHON, code.BACKGROUND, *grace.CHECKS, *image.OWN,
)  # fmt: skip

T = TypeVar("T")


def examine(folder: Folder, deployment: Deployment | str, archive: Path | None = None) -> Report:
    """Everything that can be checked in the folder, and of the image if there is one.

    `deployment` is what is wrong with deploy.toml when it makes none.
    """
    dockerfile = _read(folder, DOCKERFILE, read_dockerfile)
    build = _read(folder, CLOUDBUILD, read_build)
    report = _deployment(deployment)
    report += _of(build, CLOUDBUILD, (*_BUILD, *gcloud.CHECKS, *_SETTINGS, code.BACKGROUND))
    report += _of(dockerfile, DOCKERFILE, (*_DOCKERFILE, code.PYTHON))
    if isinstance(build, Build):
        report += _of_build(build, folder) + _of_settings(build, folder, deployment)
    if isinstance(dockerfile, Dockerfile):
        report += _of_dockerfile(dockerfile, folder)
    report += _of_code(folder, build)
    return report + _of_image(folder, archive)


def _deployment(deployment: Deployment | str) -> Report:
    problems = [deployment] if isinstance(deployment, str) else []
    return examined([DEPLOYMENT], [found(DEPLOYMENT, "deploy.toml", one) for one in problems])


def _read(folder: Folder, name: str, read: Callable[[str], T]) -> T | Unreadable | None:
    try:
        text = folder.text(name)
        return None if text is None else read(text)
    except Unreadable as error:
        return error


def _of(value: object, name: str, checks: Sequence[Check]) -> Report:
    """What is to be said when the file is missing or broken."""
    if value is None:
        return skipped(checks, f"{name} is not there")
    if isinstance(value, Unreadable):
        return skipped(checks, f"{name} cannot be understood") + _broken(name, value)
    return Report()


def _broken(name: str, error: Unreadable) -> Report:
    where = place(name, error.line)
    return examined([FILE_BROKEN], [found(FILE_BROKEN, where, f"{name} {error}")])


def _of_build(build: Build, folder: Folder) -> Report:
    findings = [*form.examine(build), *substitutions.examine(build), *order.examine(build)]
    report = examined(_BUILD, findings)
    try:
        return report + examined(gcloud.CHECKS, gcloud.examine(build, folder.environment))
    except gcloud.LintFailed as failed:
        return report + skipped(gcloud.CHECKS, str(failed))


def _of_settings(build: Build, folder: Folder, deployment: Deployment | str) -> Report:
    """Of the last deployment in cloudbuild.yaml: a first one may be made in another way."""
    try:
        deployed = deployments(build, folder)
    except Unreadable as error:
        return skipped(_SETTINGS, "the variables cannot be understood") + _broken(CLOUDBUILD, error)
    if not deployed:
        return skipped(_SETTINGS, f"{CLOUDBUILD} has no `gcloud run deploy`")
    service = deployed[-1]
    report = examined(_ALONE, [*variables.examine(service), *access.examine(service)])
    if isinstance(deployment, str):
        return report + skipped(_AGAINST_DEPLOYMENT, "deploy.toml makes no deployment")
    findings = [
        *capacity.examine(service, deployment),
        *agreement.examine(build, service, deployment),
    ]
    return report + examined(_AGAINST_DEPLOYMENT, findings) + _background(service, folder)


def _background(service: Deployed, folder: Folder) -> Report:
    if service.says("no-cpu-throttling"):
        return examined([code.BACKGROUND], [])
    package = service.variable("HANDLERS") or "handlers"
    return examined([code.BACKGROUND], code.examine_background(folder, package))


def _of_dockerfile(dockerfile: Dockerfile, folder: Folder) -> Report:
    try:
        ignored = Ignored(folder.text(".dockerignore") or "")
    except Unreadable as error:
        return _broken(".dockerignore", error)
    findings = [*process.examine(dockerfile), *contents.examine(dockerfile, folder.path, ignored)]
    return examined(_DOCKERFILE, findings) + _python(dockerfile, folder)


def _python(dockerfile: Dockerfile, folder: Folder) -> Report:
    try:
        text = folder.text(_PROJECT)
        requires = tomllib.loads(text or "").get("project", {}).get("requires-python", "")
    except Unreadable as error:
        return _broken(_PROJECT, error)
    except (tomllib.TOMLDecodeError, AttributeError):
        return _broken(_PROJECT, Unreadable("is no TOML, or no project"))
    if not requires:
        return skipped([code.PYTHON], f"{_PROJECT} has no requires-python")
    return examined([code.PYTHON], code.examine_python(dockerfile, str(requires)))


def _of_code(folder: Folder, build: object) -> Report:
    package = _handlers(build, folder)
    report = examined(code.LOADING, code.examine_handlers(folder, package))
    report += examined(grace.CHECKS, grace.examine(grace.graceful_seconds()))
    try:
        lock = folder.text(LOCK)
    except Unreadable as error:
        return report + _broken(LOCK, error)
    if lock is None:
        return report + skipped([code.NOT_LOCKED], f"{LOCK} is not there")
    return report + examined([code.NOT_LOCKED], code.examine_requirements(lock, LOCK))


def _handlers(build: object, folder: Folder) -> str:
    """The package that the deployed worker loads."""
    try:
        deployed = deployments(build, folder) if isinstance(build, Build) else []
    except Unreadable:
        deployed = []
    named = [one.variable("HANDLERS") for one in deployed]
    return next((one for one in named if one), folder.environment.get("HANDLERS") or "handlers")


def _of_image(folder: Folder, archive: Path | None) -> Report:
    if archive is not None:
        try:
            return image.examine_archive(archive)
        except Unreadable as error:
            finding = found(image.UNREADABLE, archive.name, f"{archive.name} {error}")
            rest = [one for one in image.OWN if one is not image.UNREADABLE]
            return examined([image.UNREADABLE], [finding]) + skipped(rest, "the archive holds none")
    if not running.is_image(folder):
        return skipped(image.OWN, "no image is named (--image ARCHIVE)")
    rest = [one for one in image.OWN if one is not image.MISSING]
    report = examined([image.MISSING], running.examine(folder.path))
    return report + skipped(rest, "only an archive shows it (--image ARCHIVE)")
