"""One thing that a deployment needs: what there is of it, and what would be done about it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from worker.provision.cloud import Cloud


class State(Enum):
    """What a step would do; the value is its mark in a plan."""

    THERE = "="  # nothing: it is as it should be
    MAKE = "+"
    CHANGE = "~"
    REMOVE = "-"
    WAITS = "."  # nothing yet: something else has to be there first
    GONE = ""  # nothing: there is nothing of it to remove
    CANNOT = "!"  # nothing: nobody can tell, or it would take more than we may do


DOES = frozenset({State.MAKE, State.CHANGE, State.REMOVE})


def nothing() -> None:
    """What a step does that has nothing to do."""


@dataclass(frozen=True, slots=True)
class Step:
    """What would be done about one resource. `act` does it, and raises CallFailed."""

    title: str
    state: State
    about: str = ""
    act: Callable[[], object] = nothing


class Resource(Protocol):
    """What knows everything about one resource of a deployment."""

    @property
    def title(self) -> str:
        """What people call it."""

    @property
    def about(self) -> str:
        """What it is for, or where, in few words."""

    @property
    def apis(self) -> tuple[str, ...]:
        """The APIs that have to be enabled before one can look, as in "pubsub.googleapis.com"."""

    def look(self, cloud: "Cloud") -> Step:
        """What there is, against what should be. Raises CallFailed."""

    def undo(self, cloud: "Cloud") -> Step:
        """What would be removed of what `look` makes. Raises CallFailed."""

    def script(self) -> str:
        """The gcloud commands that make it, safe to repeat, in the variables of the script."""


def gone(title: str) -> Step:
    """For `undo`: there is nothing to remove."""
    return Step(title, State.GONE)


def stays(title: str, why: str) -> Step:
    """For `undo`: it is left alone."""
    return Step(title, State.THERE, why)
