"""One rung of the ladder that a message climbs: what can break, and whether it has."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class State(StrEnum):
    """What the evidence says of a rung."""

    OK = "ok"
    BROKEN = "broken"
    UNKNOWN = "unknown"  # the evidence could not be had
    NOT_ASKED = "not asked"


@dataclass(frozen=True, slots=True)
class Rung:
    """All texts are one line. `fix` are commands, `evidence` is JSON. The ladder adds the name."""

    state: State
    what: str = ""  # what was found
    why: str = ""  # what follows from it
    fix: tuple[str, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def is_broken(self) -> bool:
        """Whether a message does not get past it."""
        return self.state is State.BROKEN


def ok(what: str) -> Rung:
    """A message gets past it."""
    return Rung(State.OK, what)


def unknown(why: str) -> Rung:
    """The evidence could not be had."""
    return Rung(State.UNKNOWN, why)


def not_asked(why: str) -> Rung:
    """It plays no part."""
    return Rung(State.NOT_ASKED, why)


def broken(what: str, why: str, *fix: str, **evidence: Any) -> Rung:
    """A message does not get past it."""
    return Rung(State.BROKEN, what, why, fix, evidence)
