"""docs/reliability.md and the figures behind it, written from runs."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from tests.faults.figures import Row

TEMPLATE = Path(__file__).with_suffix(".md")
FIGURES = Path("reliability/figures.json")  # beside the page


class Column(NamedTuple):
    """A figure of every scenario: the sum over its runs."""

    heading: str
    figure: str


COLUMNS = (
    Column("Messages", "messages"),
    Column("Deliveries", "deliveries"),
    Column("Faults", "faults"),
    Column("Handled once", "handled"),
    Column("Quarantined", "quarantined"),
    Column("Handed back", "handed_back"),
    Column("Interrupted", "interrupted"),
    Column("Unclaimed", "unclaimed"),
    Column("Lost", "lost"),
    Column("Run twice", "twice"),
)


class Runs(BaseModel):
    """What was published: all rows, and where they come from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    date: str
    commit: str
    machine: str
    seconds: float  # of the first round, which is that of `make check`
    rows: tuple[Row, ...]

    def violations(self) -> int:
        """Broken promises."""
        return sum(row.lost + row.twice for row in self.rows)


def write(runs: Runs, folder: Path) -> Path:
    """Write the page and its figures into the folder; returns the page."""
    figures = folder / FIGURES
    figures.parent.mkdir(parents=True, exist_ok=True)
    figures.write_text(runs.model_dump_json(indent=1) + "\n")
    page = folder / "reliability.md"
    page.write_text(text(runs))
    return page


def text(runs: Runs) -> str:
    """The page in Markdown."""
    return TEMPLATE.read_text().format(
        table=_table(runs.rows), setting=_setting(runs), minutes=max(1, round(runs.seconds / 60))
    )


def _table(rows: Iterable[Row]) -> str:
    by_scenario: dict[str, list[Row]] = {}
    for row in rows:
        by_scenario.setdefault(row.scenario, []).append(row)
    lines = [
        ["What was broken", *(column.heading for column in COLUMNS)],
        ["---"] * (1 + len(COLUMNS)),
        *([name, *_sums(found)] for name, found in by_scenario.items()),
        ["**all**", *_sums(rows)],
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _sums(rows: Iterable[Row]) -> list[str]:
    found = [row.model_dump() for row in rows]
    return [f"{sum(row[column.figure] for row in found):,}" for column in COLUMNS]


def _setting(runs: Runs) -> str:
    seeds = list(dict.fromkeys(str(row.seed) for row in runs.rows))
    return "\n".join(
        (
            f"- {runs.date}, commit {runs.commit}",
            f"- {runs.machine}",
            f"- rounds: {len(seeds)}, with the seeds {', '.join(seeds)}",
        )
    )
