"""A scenario: something to do with a Pub/Sub, and what the two of them make of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.differential.stage import Stage


class Kind(StrEnum):
    LAPTOP = "laptop"
    EMULATOR = "emulator"


@dataclass(frozen=True)
class Behaviour:
    """`title` says what is done, `ours` in a few words what comes of it on the laptop cloud.

    `emulator` is "" where Google's emulator does the same. Where it does not, `documented` is what
    the documentation of the real service says, and where.
    """

    title: str
    ours: str
    emulator: str = ""
    documented: str = ""

    def __post_init__(self) -> None:
        assert bool(self.emulator) == bool(self.documented), f"{self.title}: a difference is argued"
        assert self.emulator != self.ours, f"{self.title}: no difference"

    def __str__(self) -> str:
        return self.title

    def expected(self, kind: Kind) -> str:
        return self.emulator if self.emulator and kind is Kind.EMULATOR else self.ours


@dataclass(frozen=True)
class Scenario:
    """`observe` does it and says in a few words what came of it."""

    behaviour: Behaviour
    observe: Callable[[Stage], str]

    def __str__(self) -> str:
        return str(self.behaviour)


def scenario(
    title: str, *, ours: str, emulator: str = "", documented: str = ""
) -> Callable[[Callable[[Stage], str]], Scenario]:
    """Make a scenario of the function beneath."""
    return lambda observe: Scenario(Behaviour(title, ours, emulator, documented), observe)


def found_in(module: dict[str, object]) -> list[Scenario]:
    """The scenarios of a module, in their order."""
    return [value for value in module.values() if isinstance(value, Scenario)]
