"""Which plots the page has, and what is in them."""

from tests.benchmarks import tables
from tests.benchmarks.contestants import CONTESTANTS, OURS, Contestant
from tests.benchmarks.plots import Bar, Line, bars, lines
from tests.benchmarks.results import Experiment, NotMeasured, Run
from tests.benchmarks.scale import SEGMENTS
from tests.benchmarks.stats import ratio


def drawings(run: Run) -> dict[str, str]:
    """File name -> SVG, of what was measured."""
    made = {
        "cpu.svg": _bars(run, tables.CPU, "CPU time per push"),
        "p99.svg": _bars(run, tables.P99, "Latency, 99th percentile"),
        "cold.svg": _bars(run, tables.WALL, "Cold start: from the spawn to the first 2xx answer"),
        "memory.svg": _bars(run, tables.RSS, "Memory of the serving process"),
        "life.svg": _life(run),
    }
    return {name: text for name, text in made.items() if text is not None}


_BARS_ABOUT = "Less is better. In brackets: the worker's figure divided by this one."


def _bars(run: Run, column: tables.Column, title: str) -> str | None:
    """A bar for each contestant."""
    place = (column.experiment, column.case)
    unit = column.heading.rpartition(", ")[2]
    try:
        values = {one: run.median(*place, one.name, column.figure) for one in CONTESTANTS}
    except NotMeasured:
        return None
    ours = values[OURS]
    rows = [
        Bar(
            one.title,
            one.kind,
            value,
            f"{value:,.{column.digits}f} {unit}{_beside(one, ours, value)}",
        )
        for one, value in values.items()
    ]
    return bars(title, _BARS_ABOUT, rows)


def _beside(one: Contestant, ours: float, value: float) -> str:
    return "" if one is OURS else f" ({ratio(ours, value):.2f})"


def _life(run: Run) -> str | None:
    """CPU time and memory of the segments of one long life, as multiples of the first."""
    try:
        drawn = [
            _line(run, "CPU time per push", "cpu_us"),
            _line(run, "memory (RSS)", "rss_mb"),
        ]
    except NotMeasured:
        return None
    about = "Flat is better: neither slower nor larger with age."
    return lines(
        "One long life, compared with its first 10,000 pushes", about, drawn, "pushes handled"
    )


def _line(run: Run, label: str, figure: str) -> Line:
    points = []
    pushes = run.find(Experiment.LIFE, "0", OURS.name, "ok") or 0.0
    first = run.median(Experiment.LIFE, "1", OURS.name, figure) or 1.0
    for number in range(1, SEGMENTS + 1):
        pushes += run.median(Experiment.LIFE, str(number), OURS.name, "ok")
        points.append((pushes, run.median(Experiment.LIFE, str(number), OURS.name, figure) / first))
    return Line(label, points)
