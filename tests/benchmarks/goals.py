"""What the worker promises, computed from a run: goal, wanted, measured, met."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.contestants import (
    FASTAPI_ASYNC,
    FLOOR,
    FUNCTIONS_FRAMEWORK,
    GUNICORN_FLOOR,
    OURS,
    PEERS_OF_OURS,
    THREADS,
    TUTORIAL,
    TUTORIAL_LOGGING,
    Contestant,
)
from tests.benchmarks.experiments import ALONE, BLOCKING_CONNECTIONS, USUAL
from tests.benchmarks.messages import BLOCKING_SECONDS
from tests.benchmarks.results import Experiment, NotMeasured, Run
from tests.benchmarks.stats import TIMES, ratio

MOST_BLOCKING = str(max(BLOCKING_CONNECTIONS))
SEGMENT_10_000, SEGMENT_110_000 = "1", "11"  # of a long life


@dataclass(frozen=True)
class Goal:
    """`limit` is the most that is wanted, or the least; `unit` stands behind the figures."""

    text: str
    limit: float
    unit: str
    measure: Callable[[Run], float]
    at_least: bool = False

    @property
    def wanted(self) -> str:
        """The limit in words."""
        return f"{'≥' if self.at_least else '≤'} {shown(self.limit, self.unit)}"

    def is_met(self, measured: float) -> bool:
        """Whether that is good enough."""
        return measured >= self.limit if self.at_least else measured <= self.limit


@dataclass(frozen=True)
class Verdict:
    """`measured` is None where the run did not measure it."""

    goal: Goal
    measured: float | None

    def row(self) -> list[str]:
        """Goal, wanted, measured, met."""
        if self.measured is None:
            return [self.goal.text, self.goal.wanted, "not measured", "-"]
        met = "yes" if self.goal.is_met(self.measured) else "**no**"
        return [self.goal.text, self.goal.wanted, shown(self.measured, self.goal.unit), met]


def shown(value: float, unit: str) -> str:
    """A figure with its unit, with as many digits as say something."""
    digits = {TIMES: 2, "MB": 1}.get(unit, 0)
    return f"{value:,.{digits}f} {unit}".rstrip()


def judge(run: Run) -> list[Verdict]:
    """Every goal, in the order of the page."""
    return [Verdict(goal, _measured(goal, run)) for goal in GOALS]


def _measured(goal: Goal, run: Run) -> float | None:
    try:
        return goal.measure(run)
    except NotMeasured:
        return None


def against(run: Run, other: Contestant, figure: str, experiment: Experiment, case: str) -> float:
    """Ours divided by the other's, medians."""
    ours = run.median(experiment, case, OURS.name, figure)
    return ratio(ours, run.median(experiment, case, other.name, figure))


def _cpu(other: Contestant) -> Callable[[Run], float]:
    return lambda run: against(run, other, "cpu_us", Experiment.PUSH, USUAL)


def _cold(other: Contestant) -> Callable[[Run], float]:
    return lambda run: against(run, other, "wall_ms", Experiment.COLD, "")


def _p99(run: Run) -> float:
    """Against the best peer's, which is the largest ratio."""
    return max(against(run, peer, "p99_ms", Experiment.PUSH, USUAL) for peer in PEERS_OF_OURS)


def _blocking_throughput(run: Run) -> float:
    per_second = run.median(Experiment.BLOCKING, MOST_BLOCKING, OURS.name, "per_second")
    return ratio(per_second, THREADS / BLOCKING_SECONDS)


def _blocking_errors(run: Run) -> float:
    place = (Experiment.BLOCKING, MOST_BLOCKING, OURS.name, "other")
    run.median(*place)  # raises where there are none to add up
    return sum(run.values(*place))


def _rss(run: Run) -> float:
    return run.median(Experiment.LIFE, SEGMENT_10_000, OURS.name, "rss_mb")


def _rss_growth(run: Run) -> float:
    return run.median(Experiment.LIFE, SEGMENT_110_000, OURS.name, "rss_mb") - _rss(run)


def _megabyte(run: Run) -> float:
    ours = run.median(Experiment.BODIES, "1 MB", OURS.name, "cpu_us")
    return ratio(ours, run.median(Experiment.BODIES, "1 MB", ALONE, "cpu_us"))


def _over(what: str, other: Contestant) -> str:
    return f"{what}, compared with {other.title}"


_CPU, _COLD = "CPU per push", "Cold start"
GOALS = (
    Goal(_over(_CPU, FASTAPI_ASYNC), 0.6, TIMES, _cpu(FASTAPI_ASYNC)),
    Goal(_over(_CPU, FUNCTIONS_FRAMEWORK), 0.3, TIMES, _cpu(FUNCTIONS_FRAMEWORK)),
    Goal(_over(_CPU, TUTORIAL_LOGGING), 0.3, TIMES, _cpu(TUTORIAL_LOGGING)),
    Goal(_over(_CPU, FLOOR), 2.2, TIMES, _cpu(FLOOR)),
    Goal(_over(_CPU, GUNICORN_FLOOR), 2.2, TIMES, _cpu(GUNICORN_FLOOR)),
    Goal("p99 at 8 connections, compared with the best peer", 0.6, TIMES, _p99),
    Goal(
        f"Blocking handler, 80 connections: push/s, compared with {THREADS} threads / 20 ms",
        0.95, TIMES, _blocking_throughput, at_least=True,
    ),
    Goal("The same: errors other than 429 from the bounded queue", 0, "", _blocking_errors),
    Goal(_over(_COLD, TUTORIAL), 1.3, TIMES, _cold(TUTORIAL)),
    Goal(_over(_COLD, TUTORIAL_LOGGING), 0.5, TIMES, _cold(TUTORIAL_LOGGING)),
    Goal("RSS per process after 10,000 pushes", 45, "MB", _rss),
    Goal("Growth of RSS over the next 100,000", 1, "MB", _rss_growth),
    Goal("CPU of a 1 MB body, compared with base64 + JSON validation alone", 1.3, TIMES, _megabyte),
)  # fmt: skip
