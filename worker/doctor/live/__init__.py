"""The live checks: what a project says of a deployment, and what is wrong with it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from worker.deployment import Deployment
from worker.doctor.catalogue import Check
from worker.doctor.finding import Finding
from worker.doctor.live import (
    access,
    accounts,
    artifacts,
    capacity,
    claims,
    deadletters,
    deadlines,
    endpoint,
    others,
    quarantine,
    revision,
    subscription,
    watching,
)
from worker.doctor.live.commands import PROVISION, SMOKE
from worker.doctor.live.gather import gather
from worker.doctor.live.snapshot import Live, Skipped
from worker.doctor.live.unreadable import NOT_READABLE, unreadable
from worker.project.project import Project

Look = Callable[[Live, Deployment], Iterable[Finding]]

_AREAS = (
    revision, subscription, endpoint, accounts, access, deadlines, capacity, claims,
    artifacts, deadletters, quarantine, others, watching,
)  # fmt: skip
LOOKS: Mapping[Check, Look] = MappingProxyType(
    {check: look for area in _AREAS for check, look in area.LOOKS.items()}
)
CHECKS: tuple[Check, ...] = (*LOOKS, NOT_READABLE)


def examine(project: Project, deployment: Deployment) -> list[Finding]:
    """What is wrong with the deployment, as its project shows it now.

    Raises CallFailed when the project cannot be asked at all.
    """
    return judge(gather(project, deployment), deployment)


def judge(live: Live, deployment: Deployment) -> list[Finding]:
    """What is wrong with what is known; a question without an answer is a note of its own."""
    findings = [one for look in LOOKS.values() for one in _findings(look, live, deployment)]
    return [*findings, *unreadable(live, deployment)]


def _findings(look: Look, live: Live, deployment: Deployment) -> list[Finding]:
    try:
        return [_of_project(one, deployment.project) for one in look(live, deployment)]
    except Skipped:
        return []


def _of_project(finding: Finding, project: str) -> Finding:
    """Our own commands want the project; the catalogue does not know it."""
    ours = finding.fix in (PROVISION, SMOKE)
    return replace(finding, fix=f"{finding.fix} --project={project}") if ours else finding
