"""What doctor found, what it looked at, and what it could not look at."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from worker.doctor.catalogue import Check
from worker.doctor.finding import Finding, Severity

_ORDER = tuple(Severity)
_VERDICTS = {Severity.ERROR: "errors", Severity.WARNING: "warnings"}
_EXIT_CODES = {"healthy": 0, "warnings": 1, "errors": 2}


@dataclass(frozen=True, slots=True)
class NotChecked:
    """A check that could not be made, and why."""

    check: str
    reason: str  # one line


@dataclass(frozen=True, slots=True)
class Report:
    """The answer to some checks; `+` puts two together."""

    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()  # names of checks
    not_checked: tuple[NotChecked, ...] = ()

    def __add__(self, other: "Report") -> "Report":
        return Report(
            self.findings + other.findings,
            self.checked + other.checked,
            self.not_checked + other.not_checked,
        )

    @property
    def verdict(self) -> str:
        """`errors`, `warnings` or `healthy`: by the worst finding."""
        worst = {finding.severity for finding in self.findings}
        return next((text for one, text in _VERDICTS.items() if one in worst), "healthy")

    @property
    def exit_code(self) -> int:
        """0 healthy, notes are no illness; 1 warnings, 2 errors."""
        return _EXIT_CODES[self.verdict]

    def worst_first(self) -> list[Finding]:
        """The findings by severity, else in the order in which they were found."""
        return sorted(self.findings, key=lambda finding: _ORDER.index(finding.severity))

    def count(self, severity: Severity) -> int:
        """How many findings are that bad."""
        return sum(finding.severity is severity for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "verdict": self.verdict,
            "findings": [asdict(finding) for finding in self.worst_first()],
            "checked": list(self.checked),
            "not_checked": [asdict(one) for one in self.not_checked],
        }


def examined(checks: Sequence[Check], findings: Iterable[Finding]) -> Report:
    """These checks were made, and found that."""
    return Report(tuple(findings), tuple(check.name for check in checks))


def skipped(checks: Sequence[Check], reason: str) -> Report:
    """These checks could not be made."""
    return Report(not_checked=tuple(NotChecked(check.name, reason) for check in checks))
