"""Every check of doctor, and the report of all that can be asked now."""

from collections.abc import Callable
from dataclasses import replace

from worker.deployment import Deployment
from worker.doctor import offline
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.report import Report, examined, skipped
from worker.rest import CallFailed

NOT_ASKED = Check(
    "live-not-asked",
    Severity.NOTE,
    "the project can be asked",
    "Nothing of the deployed service, its subscription and its roles was checked.",
    "run `gcloud auth application-default login`, or give --offline",
)

Live = Callable[[Deployment], list[Finding]]


def live_checks() -> tuple[Check, ...]:
    """The checks of a project."""
    from worker.doctor.live import CHECKS  # noqa: PLC0415 - Google's clients; --offline needs none

    return CHECKS


def all_checks() -> tuple[Check, ...]:
    """Those of the folder, then the one of asking, then those of a project."""
    return (*offline.CHECKS, NOT_ASKED, *live_checks())


def ask(deployment: Deployment) -> list[Finding]:
    """What is wrong in the project. Raises CallFailed when it cannot be asked at all."""
    from worker.doctor.live import examine  # noqa: PLC0415 - same
    from worker.project.project import Project  # noqa: PLC0415 - same

    return examine(Project(deployment.project), deployment)


def examine_live(deployment: Deployment, *, wanted: bool, ask: Live = ask) -> Report:
    """The checks of the project; that it cannot be asked is an error if that was `wanted`."""
    try:
        return examined((NOT_ASKED, *live_checks()), ask(deployment))
    except CallFailed as failed:
        where = f"projects/{deployment.project}"
        return _not_asked(where, str(failed), wanted=wanted, reason="the project cannot be asked")


def not_live(reason: str, *, wanted: bool) -> Report:
    """No project is asked; that is an error if it was `wanted`."""
    if not wanted:
        return skipped((NOT_ASKED, *live_checks()), reason)
    return _not_asked("the project", reason, wanted=True, reason=reason)


def _not_asked(where: str, what: str, *, wanted: bool, reason: str) -> Report:
    check = replace(NOT_ASKED, severity=Severity.ERROR) if wanted else NOT_ASKED
    return examined([check], [found(check, where, what)]) + skipped(live_checks(), reason)
