"""What doctor looks for: one value for each check, which docs/doctor.md's table repeats."""

from dataclasses import dataclass

from worker.doctor.finding import Finding, Severity


@dataclass(frozen=True, slots=True)
class Check:
    """One question. All texts are one line."""

    name: str  # constant, as in "ack-deadline-short"
    severity: Severity
    title: str  # what is asked, as in "the ack deadline is as long as the handler budget"
    why: str  # what happens when it is not so
    fix: str  # what mends it; `found` takes another where it depends on what was found


def found(check: Check, where: str, what: str, fix: str | None = None) -> Finding:
    """What the check found at `where`: a file and line, or a resource."""
    return Finding(check.name, check.severity, where, what, check.why, fix or check.fix)
