"""Is the revision ready that should handle the message?"""

from collections.abc import Mapping
from typing import Any

from worker.smoke.evidence import Evidence, Json, Unknown
from worker.smoke.ladder.commands import Commands
from worker.smoke.ladder.rung import Rung, broken, ok, unknown

_SUCCEEDED = "CONDITION_SUCCEEDED"
_NOT_READY = (
    "Cloud Run gives no traffic to a revision that does not start: a wrong setting, a handler "
    "that cannot be imported, no leave to pull the image. Its log says which."
)


def revision(evidence: Evidence) -> Rung:
    """What Cloud Run says of it, unless it has handled the message."""
    wanted, last = evidence.question.revision, evidence.last
    if last is not None and wanted and last.revision != wanted:
        return _another(evidence, last.revision)
    if evidence.arrived:
        return ok(f"{last.revision} took the message" if last else "it took the message")
    if isinstance(evidence.service, Unknown):
        return unknown(evidence.service.why)
    if evidence.service is None:
        return _no_service(evidence)
    return _readiness(evidence, evidence.service)


def _another(evidence: Evidence, by: str) -> Rung:
    wanted = evidence.question.revision
    commands = Commands(evidence.question.deployment)
    return broken(
        f"the revision {by} handled the message, not {wanted}",
        "That one has no traffic, or what was pushed to is the address of another.",
        commands.show_revision(wanted), commands.send_traffic(wanted),
        revision=by,
    )  # fmt: skip


def _no_service(evidence: Evidence) -> Rung:
    its = evidence.question.deployment
    return broken(
        f"the service {its.service} is not there, in {its.region} of {its.project}",
        "Nobody takes the pushes. The first build makes the service.",
        Commands(its).deploy(),
    )


def _readiness(evidence: Evidence, service: Json) -> Rung:
    wanted, its = evidence.question.revision, evidence.revision
    if wanted and its is None:
        return broken(
            f"there is no revision {wanted}",
            "It was never deployed, or was deleted.",
            Commands(evidence.question.deployment).list_revisions(),
        )
    name = _short(its.get("name")) if isinstance(its, Mapping) else ""
    serving = _short(service.get("latestReadyRevision"))
    condition = _condition(its) if isinstance(its, Mapping) else None
    starts = condition is None or condition.get("state") == _SUCCEEDED
    if not starts and (wanted or not evidence.statuses()):
        return _not_ready(evidence, name, condition or {})
    if not serving:
        return _not_ready(evidence, "", service.get("terminalCondition") or {})
    return ok(f"{serving} is ready" + ("" if starts else f"; the newest, {name}, is not"))


def _short(name: object) -> str:
    """Of a revision, which may have its full name."""
    return str(name or "").rpartition("/")[2]


def _condition(resource: Json) -> Json | None:
    """Source: google.cloud.run.v2.Condition."""
    conditions: list[dict[str, Any]] = resource.get("conditions") or []
    return next((one for one in conditions if one.get("type") == "Ready"), None)


def _not_ready(evidence: Evidence, name: str, condition: Json) -> Rung:
    commands = Commands(evidence.question.deployment)
    said = str(condition.get("message") or condition.get("reason") or "Cloud Run says no more")
    return broken(
        f"the revision {name} is not ready: {said}" if name else f"no revision is ready: {said}",
        _NOT_READY,
        commands.show_revision(name) if name else commands.list_revisions(), commands.errors(),
        condition=dict(condition), errors=list(evidence.errors),
    )  # fmt: skip
