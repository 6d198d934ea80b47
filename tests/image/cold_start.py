"""How long a container takes from its start to the first push answered, ours beside others."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from tests.benchmarks.process import cpu_seconds
from tests.benchmarks.stats import ratio
from tests.benchmarks.tables import table
from tests.image.builds import Images, variants
from tests.image.container import Container
from tests.support.pushes import wrapped
from tests.support.server import WAIT_SECONDS

TITLES = {
    "worker": "this worker",
    "flask-only": "Flask only",
    "stdlib-not-compiled": "this worker, the standard library not compiled",
    "not-compiled": "this worker, nothing compiled",
}
_PUSH = wrapped({"feature": "smoke_test", "requirements": {}})
_STEP_SECONDS = 0.002

Say = Callable[[str], None]


class ColdStart(NamedTuple):
    """From the start of a container to its first answer 2xx to a push."""

    wall_ms: float
    cpu_ms: float  # user and system time of all its processes


@dataclass(frozen=True)
class ColdStarts:
    """Every round, by the name of the image."""

    rounds: dict[str, list[ColdStart]]

    def table(self) -> str:
        """Medians; in brackets, how many times ours that is."""
        ours = _medians(self.rounds["worker"])
        rows = [
            [TITLES[name], *map(_cell, _medians(rounds), ours), _range(rounds)]
            for name, rounds in self.rounds.items()
        ]
        return table(["Image", "wall, ms", "CPU, ms", "wall, lowest to highest"], rows)


def _medians(rounds: list[ColdStart]) -> ColdStart:
    return ColdStart(*map(median, zip(*rounds, strict=True)))


def _cell(value: float, ours: float) -> str:
    return f"{value:,.0f} ({ratio(value, ours):.2f})"


def _range(rounds: list[ColdStart]) -> str:
    times = [one.wall_ms for one in rounds]
    return f"{min(times):,.0f} to {max(times):,.0f}"


def measure(built: Images, rounds: int, say: Say) -> ColdStarts:
    """Start each image in turn, `rounds` times; one more round before them does not count."""
    names = {"worker": built.worker, **variants(built)}
    found = ColdStarts({name: [] for name in names})
    for number in range(rounds + 1):
        say(f"cold starts, round {number} of {rounds}")
        for name, image in names.items():
            took = cold_start(built, image)
            if number:
                found.rounds[name].append(took)
    return found


def cold_start(built: Images, image: str) -> ColdStart:
    """Start one container, and push to it until it answers."""
    with Container(built.podman, image) as container:
        answered = _first_answer(container)
        cpu = cpu_seconds(container.process_id())
        return ColdStart((answered - container.started_at()) * 1000, cpu * 1000)


def _first_answer(container: Container) -> float:
    """When it came, in seconds of the machine's clock."""
    until = time.monotonic() + WAIT_SECONDS
    while not _takes_push(container):
        assert time.monotonic() < until, f"no answer: {container.lines()}"
        time.sleep(_STEP_SECONDS)
    return time.time()


def _takes_push(container: Container) -> bool:
    with suppress(OSError, EOFError):
        return container.push(_PUSH).status // 100 == 2
    return False
