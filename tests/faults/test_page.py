"""The page says what its figures say, and they say that the promise was kept."""

from pathlib import Path

import pytest

from tests.faults import page
from tests.faults.figures import Row, read, write
from tests.faults.page import Runs
from tests.support.server import ROOT

DOCS = ROOT / "docs"
KEPT = DOCS / page.FIGURES
ROW = Row(
    scenario="a fault", seed=7, messages=1_000, deliveries=2_000, faults=3, handled=900,
    quarantined=90, handed_back=10, interrupted=4, unclaimed=5, lost=0, twice=0,
)  # fmt: skip


def runs(*rows: Row) -> Runs:
    return Runs(date="2026-11-22", commit="abc", machine="a machine", seconds=200.0, rows=rows)


def test_a_scenario_has_a_line_with_the_sum_of_its_runs() -> None:
    again = ROW.model_copy(update={"seed": 8, "lost": 1})
    text = page.text(runs(ROW, again, ROW.model_copy(update={"scenario": "another"})))
    assert "| a fault | 2,000 | 4,000 | 6 | 1,800 | 180 | 20 | 8 | 10 | 1 | 0 |" in text
    assert "| another | 1,000 |" in text
    assert "| **all** | 3,000 |" in text
    assert "- rounds: 2, with the seeds 7, 8\n" in text
    assert "takes about 3 minutes" in text


def test_violations_are_what_is_lost_or_run_twice() -> None:
    broken = [ROW.model_copy(update=found) for found in ({"lost": 1}, {"twice": 2})]
    assert runs(ROW).violations() == 0
    assert runs(ROW, *broken).violations() == 3


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    write([ROW, ROW], tmp_path / "rows")
    assert read(tmp_path / "rows") == [ROW, ROW]


@pytest.mark.skipif(not KEPT.exists(), reason="there is no docs/reliability.md yet")
def test_the_page_in_the_docs_is_what_its_figures_say(tmp_path: Path) -> None:
    kept = Runs.model_validate_json(KEPT.read_bytes())
    written = page.write(kept, tmp_path)
    assert written.read_text() == (DOCS / written.name).read_text(), "make soak writes it"
    assert kept.violations() == 0
