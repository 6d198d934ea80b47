"""The page is whole, whatever was measured, and its plots are pictures."""

import re
from pathlib import Path

import pytest

from tests.benchmarks import page
from tests.benchmarks.__main__ import main
from tests.benchmarks.contestants import CONTESTANTS, OURS
from tests.benchmarks.goals import GOALS
from tests.benchmarks.results import Experiment, Run, Sample
from tests.benchmarks.scale import CLAIMS
from tests.benchmarks.support import SETTING, canned, check_page
from tests.support.server import ROOT

WHOLE = canned()
KEPT = ROOT / "docs" / "performance" / "figures.json"
EMPTY = Run(quick=True, setting=SETTING, samples=())


@pytest.mark.parametrize("run", [WHOLE, EMPTY], ids=["whole", "empty"])
def test_a_page_can_be_written_of_any_run(run: Run, tmp_path: Path) -> None:
    assert page.write(run, tmp_path) == tmp_path / "performance.md"
    check_page(tmp_path)


def test_a_whole_page_has_every_server_every_goal_and_every_plot(tmp_path: Path) -> None:
    page.write(WHOLE, tmp_path)
    text = check_page(tmp_path)
    for one in CONTESTANTS:
        assert text.count(f"| {one.title} |") >= 4, one.name
    for goal in GOALS:
        assert f"| {goal.text} | {goal.wanted} |" in text
    assert text.count("![") == 5
    assert "not measured" not in text


def test_the_figures_are_kept_and_make_the_same_page_again(tmp_path: Path) -> None:
    first, again = tmp_path / "first", tmp_path / "again"
    page.write(WHOLE, first)
    figures = first / "performance" / "figures.json"
    assert Run.model_validate_json(figures.read_bytes()) == WHOLE
    assert main([f"--again={figures}", f"--output={again}"]) == 0
    assert check_page(again) == check_page(first)


@pytest.mark.parametrize(("run", "folder"), [(WHOLE, "docs"), (EMPTY, ".benchmarks")])
def test_only_a_whole_run_writes_into_the_docs(
    run: Run, folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.benchmarks.__main__.ROOT", tmp_path)
    figures = tmp_path / "figures.json"
    figures.write_text(run.model_dump_json())
    assert main([f"--again={figures}"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"figures.json", folder}
    check_page(tmp_path / folder)


def test_a_run_that_left_something_out_is_not_whole() -> None:
    some = [one for one in WHOLE.samples if one.experiment is not Experiment.COLD]
    assert WHOLE.is_whole
    assert not Run(quick=False, setting=SETTING, samples=tuple(some)).is_whole
    assert not Run(quick=True, setting=SETTING, samples=WHOLE.samples).is_whole


@pytest.mark.skipif(not KEPT.exists(), reason="there is no docs/performance.md yet")
def test_the_page_in_the_docs_is_what_its_figures_say(tmp_path: Path) -> None:
    page.write(Run.model_validate_json(KEPT.read_bytes()), tmp_path)
    for path in tmp_path.rglob("*.*"):
        there = ROOT / "docs" / path.relative_to(tmp_path)
        assert path.read_text() == there.read_text(), "make bench writes it; do not edit it"


def test_a_quick_run_says_that_its_figures_mean_nothing(tmp_path: Path) -> None:
    page.write(WHOLE, tmp_path)
    assert "figures mean nothing" not in check_page(tmp_path)
    page.write(EMPTY, tmp_path)
    assert "figures mean nothing" in check_page(tmp_path)


def test_ratios_are_the_workers_figure_divided_by_the_others(tmp_path: Path) -> None:
    run = canned({(Experiment.PUSH, OURS.name): {"cpu_us": 25.0}})
    page.write(run, tmp_path)
    text = check_page(tmp_path)
    assert re.search(r"^\| FastAPI `def` \| 0\.25 .+\|$", text, re.MULTILINE)
    assert re.search(r"^\| FastAPI `def` \| 100 \(0\.25\) \|", text, re.MULTILINE)


def test_what_grows_is_much_divided_by_little(tmp_path: Path) -> None:
    samples = [
        Sample(experiment=Experiment.SCALE, case=case, who=OURS.name, figures={"cpu_us": cost})
        for case, cost in zip(CLAIMS, (100.0, 125.0), strict=True)
    ]
    page.write(Run(quick=False, setting=SETTING, samples=tuple(samples)), tmp_path)
    assert "| CPU per push, µs | 100 | 125 | 1.25 \N{MULTIPLICATION SIGN} |" in check_page(tmp_path)


def test_what_was_refused_is_a_share_of_the_answers(tmp_path: Path) -> None:
    run = canned({(Experiment.BLOCKING, OURS.name): {"ok": 300.0, "overloaded": 100.0}})
    page.write(run, tmp_path)
    assert "25% of its answers" in check_page(tmp_path).replace("\n", " ")
