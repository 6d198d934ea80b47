"""docs/performance.md, its plots and the figures behind them, written from one run."""

from pathlib import Path

from tests.benchmarks import tables
from tests.benchmarks.contestants import CONTESTANTS, OURS
from tests.benchmarks.drawings import drawings
from tests.benchmarks.experiments import USUAL
from tests.benchmarks.goals import MOST_BLOCKING
from tests.benchmarks.results import Experiment, Run
from tests.benchmarks.stats import spread

FOLDER = "performance"  # beside the page: plots and figures
FIGURES = "figures.json"
TEMPLATE = Path(__file__).with_suffix(".md")

_ALT = {
    "cpu.svg": "CPU time per push of each server",
    "p99.svg": "99th percentile of the latency of each server",
    "cold.svg": "Cold start of each server",
    "memory.svg": "Memory of each server",
    "life.svg": "CPU time per push and memory over 210,000 pushes",
}


def write(run: Run, folder: Path) -> Path:
    """Write the page and what belongs to it into the folder; returns the page."""
    beside = folder / FOLDER
    beside.mkdir(parents=True, exist_ok=True)
    (beside / FIGURES).write_text(run.model_dump_json() + "\n")  # first: --again can do the rest
    plots = drawings(run)
    for name, svg in plots.items():
        (beside / name).write_text(svg)
    page = folder / "performance.md"
    page.write_text(text(run, set(plots)))
    return page


def text(run: Run, plots: set[str]) -> str:
    """The page in Markdown; `plots` are those that there are."""

    def plot(name: str) -> str:
        return f"\n![{_ALT[name]}]({FOLDER}/{name})\n" if name in plots else ""

    parts = {
        "warning": _QUICK if run.quick else "",
        "short": tables.in_short(run),
        "cpu": plot("cpu.svg"),
        "goals": tables.goals(run),
        "one_push": tables.figures(run, tables.ONE_PUSH),
        "p99": plot("p99.svg"),
        "memory": plot("memory.svg"),
        "bodies": _by_case(run, tables.BODIES, ("CPU, µs", "cpu_us"), ("push/s", "per_second")),
        "blocking": _by_case(run, tables.BLOCKING, ("push/s", "per_second"), ("CPU, µs", "cpu_us")),
        "refused": _refused(run),
        "cold": tables.figures(run, tables.COLD),
        "cold_plot": plot("cold.svg"),
        "scale": tables.scale(run),
        "life": plot("life.svg"),
        "setting": _setting(run),
        "versions": tables.table(
            ["Server", "Versions"],
            [[one.title, run.setting.versions.get(one.name, "")] for one in CONTESTANTS],
        ),
    }
    return TEMPLATE.read_text().format(**parts)


def _by_case(run: Run, cases: tables.Cases, *figures: tuple[str, str]) -> str:
    """A table for each figure, and one for the latencies."""
    found = [tables.by_case(run, cases, what, figure) for what, figure in figures]
    return "\n".join([*found, tables.latencies(run, cases)])


def _refused(run: Run) -> str:
    """What part of the worker's answers was 429 where its queue was full."""
    place = (Experiment.BLOCKING, MOST_BLOCKING, OURS.name)
    refused, done = sum(run.values(*place, "overloaded")), sum(run.values(*place, "ok"))
    share = refused / (refused + done) if refused + done else 0.0
    return f"{share:.0%}"


def _setting(run: Run) -> str:
    where = run.setting
    rounds = len(run.values(Experiment.PUSH, USUAL, OURS.name, "cpu_us"))
    apart = "the servers on one core, the load generator on the other"
    noise = f"its CPU per push differed by {_noise(run)}"
    return f"""\
- {where.date}, commit {where.commit}
- {where.machine}, Python {where.python}
- {apart if where.pinned else "servers and load generator on the same core"}
- rounds of one push for each server: {rounds}; from the lowest to the highest {noise}
- the load generator kept its core busy for {_busy(run)} of the time, with the fastest server"""


def _noise(run: Run) -> str:
    place = (Experiment.PUSH, USUAL)
    found = [run.values(*place, one.name, "cpu_us") for one in CONTESTANTS]
    spreads = sorted(spread(values) for values in found if values)
    return f"{spreads[len(spreads) // 2]:.0%}" if spreads else tables.NOTHING


def _busy(run: Run) -> str:
    found = [run.find(Experiment.PUSH, USUAL, one.name, "client_busy") for one in CONTESTANTS]
    known = [value for value in found if value is not None]
    return f"{max(known):.0%}" if known else tables.NOTHING


_QUICK = "\n**A quick run: it shows that the benchmark works; its figures mean nothing.**\n"
