"""What a run measured: samples, and their medians. Kept as JSON beside the plots."""

from enum import StrEnum
from statistics import median

from pydantic import BaseModel, ConfigDict


class NotMeasured(Exception):
    """The run has no such sample: it was left out, or there was no such server."""


class Experiment(StrEnum):
    """What is measured, in the order in which it is."""

    FIRST = "first"  # the first pushes of a server's life: memory
    PUSH = "push"  # one small push, eight connections
    BODIES = "bodies"
    BLOCKING = "blocking"  # a handler that blocks for 20 ms
    COLD = "cold"
    LIFE = "life"  # of one process: early and late, and its memory
    SCALE = "scale"


class Sample(BaseModel):
    """One round of one server. Figures are named with their unit."""

    model_config = ConfigDict(frozen=True)

    experiment: Experiment
    case: str
    who: str  # a contestant's name
    figures: dict[str, float]


class Setting(BaseModel):
    """Where and on what the run was made."""

    model_config = ConfigDict(frozen=True)

    date: str
    commit: str
    machine: str
    python: str
    pinned: bool  # whether servers and load had a core each
    versions: dict[str, str]  # of each contestant


class Run(BaseModel):
    """A whole run."""

    model_config = ConfigDict(frozen=True)

    quick: bool
    setting: Setting
    samples: tuple[Sample, ...]

    @property
    def is_whole(self) -> bool:
        """Whether everything was measured, and long enough to mean something."""
        return not self.quick and {one.experiment for one in self.samples} == set(Experiment)

    def values(self, experiment: Experiment, case: str, who: str, figure: str) -> list[float]:
        """That figure of every round; none where it was not measured."""
        return [
            sample.figures[figure]
            for sample in self.samples
            if (sample.experiment, sample.case, sample.who) == (experiment, case, who)
            and figure in sample.figures
        ]

    def find(self, experiment: Experiment, case: str, who: str, figure: str) -> float | None:
        """The median over the rounds; None where it was not measured."""
        values = self.values(experiment, case, who, figure)
        return median(values) if values else None

    def median(self, experiment: Experiment, case: str, who: str, figure: str) -> float:
        """The median over the rounds. Raises NotMeasured."""
        found = self.find(experiment, case, who, figure)
        if found is None:
            raise NotMeasured(f"{experiment} {case} {who} {figure}")
        return found
