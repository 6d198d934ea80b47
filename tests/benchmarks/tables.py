"""The page's tables. A figure in brackets is the worker's divided by the one before it."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from tests.benchmarks.contestants import CONTESTANTS, FLOORS, OURS, OURS_NONE, PEERS_OF_OURS
from tests.benchmarks.experiments import ALONE, BLOCKING_CONNECTIONS, USUAL
from tests.benchmarks.goals import judge
from tests.benchmarks.messages import SIZES
from tests.benchmarks.results import Experiment, Run
from tests.benchmarks.scale import CLAIMS, FEATURES, SEGMENTS, TOKENS, WORKERS
from tests.benchmarks.stats import TIMES, ratio

ALONE_TITLE = "base64 + JSON validation alone"
NOTHING = "-"  # in a cell: not measured


class Column(NamedTuple):
    """A figure of every server."""

    heading: str
    experiment: Experiment
    case: str
    figure: str
    digits: int = 0


CPU = Column("CPU, µs", Experiment.PUSH, USUAL, "cpu_us")
PER_SECOND = Column("push/s", Experiment.PUSH, USUAL, "per_second")
P99 = Column("p99, ms", Experiment.PUSH, USUAL, "p99_ms", 2)
RSS = Column("RSS, MB", Experiment.FIRST, USUAL, "rss_mb")
WALL = Column("wall, ms", Experiment.COLD, "", "wall_ms")

ONE_PUSH = (
    CPU,
    PER_SECOND,
    Column("p50, ms", Experiment.PUSH, USUAL, "p50_ms", 2),
    P99,
    Column("p99.9, ms", Experiment.PUSH, USUAL, "p999_ms", 2),
    RSS,
)
Cases = tuple[Experiment, dict[str, str]]  # heading -> case
BODIES: Cases = (Experiment.BODIES, {size: size for size in SIZES})
BLOCKING: Cases = (
    Experiment.BLOCKING,
    {f"{number} connection{'s' * (number > 1)}": str(number) for number in BLOCKING_CONNECTIONS},
)
COLD = (WALL, Column("CPU, ms", Experiment.COLD, "", "cpu_ms"))


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [f"| {' | '.join(cells)} |\n" for cells in (headings, *rows)]
    lines.insert(1, "|" + "---|" * len(headings) + "\n")
    return "".join(lines)


def figures(run: Run, columns: Sequence[Column], what: str = "Server") -> str:
    """A row for each server that has any of the figures."""
    headings = [what, *(column.heading for column in columns)]
    return _of_everybody(headings, lambda who: [_figure(run, who, one) for one in columns])


def by_case(run: Run, cases: Cases, what: str, figure: str) -> str:
    """One figure, a column for each case."""
    experiment, headings = cases
    columns = [Column(heading, experiment, case, figure) for heading, case in headings.items()]
    return figures(run, columns, what)


def latencies(run: Run, cases: Cases) -> str:
    """The three percentiles in one cell, a column for each case."""
    experiment, headings = cases

    def cell(who: str, case: str) -> str:
        found = [run.find(experiment, case, who, name) for name in ("p50_ms", "p99_ms", "p999_ms")]
        known = [f"{value:,.1f}" for value in found if value is not None]
        return " / ".join(known) or NOTHING

    def cells(who: str) -> list[str]:
        return [cell(who, case) for case in headings.values()]

    return _of_everybody(["p50 / p99 / p99.9, ms", *headings], cells)


def _of_everybody(headings: Sequence[str], cells: Callable[[str], list[str]]) -> str:
    """`cells` are those of a server; one that has none is left out."""
    titles = {one.name: one.title for one in CONTESTANTS} | {ALONE: ALONE_TITLE}
    rows = [[title, *cells(who)] for who, title in titles.items()]
    return table(headings, [row for row in rows if set(row[1:]) != {NOTHING}])


def _figure(run: Run, who: str, column: Column) -> str:
    value = _of(run, who, column)
    if value is None:
        return NOTHING
    ours = _of(run, OURS.name, column)
    beside = "" if who == OURS.name or ours is None else f" ({ratio(ours, value):.2f})"
    return f"{value:,.{column.digits}f}{beside}"


def _of(run: Run, who: str, column: Column) -> float | None:
    return run.find(column.experiment, column.case, who, column.figure)


def in_short(run: Run) -> str:
    """The worker's figures divided by everybody's."""
    headings = ["The worker, compared with", "CPU per push", "push/s", "p99", "cold start", "RSS"]
    columns = (CPU, PER_SECOND, P99, WALL, RSS)
    rows = [
        [one.title, *(_ratio(run, one.name, column) for column in columns)]
        for one in (*PEERS_OF_OURS, *FLOORS)
    ]
    return table(headings, rows)


def _ratio(run: Run, who: str, column: Column) -> str:
    ours, other = _of(run, OURS.name, column), _of(run, who, column)
    return NOTHING if ours is None or other is None else f"{ratio(ours, other):.2f} {TIMES}"


def goals(run: Run) -> str:
    """Goal, wanted, measured, met."""
    return table(["Goal", "Wanted", "Measured", "Met"], [verdict.row() for verdict in judge(run)])


class Growth(NamedTuple):
    """One figure of the worker, with little of something and with much of it."""

    names: tuple[str, str]
    what: str
    figure: str
    who: str
    experiment: Experiment
    cases: tuple[str, str]


def _life(what: str, figure: str) -> Growth:
    names = ("the first 10,000 pushes", "pushes 200,001 to 210,000")
    return Growth(names, what, figure, OURS.name, Experiment.LIFE, ("1", str(SEGMENTS)))


def _scale(names: tuple[str, str], who: str, what: str, figure: str) -> Growth:
    return Growth(names, what, figure, who, Experiment.SCALE, names)


_COST = ("CPU per push, µs", "cpu_us")
GROWTHS = (
    _life(*_COST),
    _life("RSS, MB", "rss_mb"),
    _scale(CLAIMS, OURS.name, *_COST),
    _scale(FEATURES, OURS_NONE.name, *_COST),
    _scale(TOKENS, OURS.name, *_COST),
    _scale(WORKERS, OURS_NONE.name, "push/s, on all cores", "per_second"),
)


def scale(run: Run) -> str:
    """What grows, and what becomes of the cost of a push."""
    headings = ["From", "To", "Changes", "from", "to", "ratio"]
    return table(headings, [[*one.names, one.what, *_grown(run, one)] for one in GROWTHS])


def _grown(run: Run, one: Growth) -> list[str]:
    few, many = (run.find(one.experiment, case, one.who, one.figure) for case in one.cases)
    if few is None or many is None:
        return [NOTHING] * 3
    return [f"{few:,.0f}", f"{many:,.0f}", f"{ratio(many, few):.2f} {TIMES}"]
