"""What scenarios came to: a row each, kept as JSON lines while they run."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict

from tests.faults.audit import Verdict
from tests.faults.messages import Fate

SEED = "FAULTS_SEED"  # the environment variable that repeats a run
SCALE = "FAULTS_SCALE"  # how many times more messages and faults; 1 in CI
FIGURES = "FAULTS_FIGURES"  # a file that gets a line for each row


class Row(BaseModel):
    """One run of one scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    scenario: str
    seed: int
    messages: int
    deliveries: int
    faults: int
    handled: int
    quarantined: int
    handed_back: int
    interrupted: int
    unclaimed: int
    lost: int
    twice: int

    @classmethod
    def of(cls, scenario: str, seed: int, verdict: Verdict, **counted: int) -> Self:
        """What a scenario came to; `counted` are its messages, deliveries and faults."""
        return cls(
            scenario=scenario,
            seed=seed,
            handled=verdict.count(Fate.HANDLED),
            quarantined=verdict.count(Fate.QUARANTINED),
            handed_back=verdict.count(Fate.HANDED_BACK),
            interrupted=len(verdict.interrupted),
            unclaimed=len(verdict.unclaimed),
            lost=len(verdict.lost),
            twice=len(verdict.twice),
            **counted,
        )

    def __str__(self) -> str:
        fields = self.model_dump(exclude={"scenario"})
        return f"{self.scenario}: " + ", ".join(f"{name} {fields[name]}" for name in fields)


def read(path: Path) -> list[Row]:
    """The rows of a file of JSON lines."""
    return [Row.model_validate_json(line) for line in path.read_text().splitlines()]


def write(rows: Iterable[Row], path: Path) -> None:
    """A file of JSON lines."""
    path.write_text("".join(f"{row.model_dump_json()}\n" for row in rows))


def keep(row: Row) -> None:
    """Append the row to the file that the environment names, if it does."""
    if path := os.environ.get(FIGURES):
        with Path(path).open("a") as file:
            file.write(f"{row.model_dump_json()}\n")
