"""What doctor says: one value for each thing that is wrong."""

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is, worst first."""

    ERROR = "error"  # messages are lost, repeated or never arrive
    WARNING = "warning"  # they may be, or something else than what was meant happens
    NOTE = "note"  # worth knowing; nothing has to be done


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. All texts are one line; none holds a token or a password."""

    check: str  # its constant name, as in "ack-deadline-short"; docs/doctor.md has a row for it
    severity: Severity
    where: str  # the file and line, or the resource
    what: str  # what was found
    why: str  # what happens because of it
    fix: str  # the command to run, or what to change
