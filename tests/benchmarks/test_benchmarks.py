"""A quick run of the whole benchmark: everybody takes part. It says nothing about time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import NO_ENVIRONMENT
from tests.benchmarks.contestants import CONTESTANTS, Contestant, Kind
from tests.benchmarks.results import Experiment, Run
from tests.benchmarks.support import CASES, check_page, measured
from tests.support.server import ROOT

pytestmark = [
    pytest.mark.server,
    pytest.mark.timeout(300),  # seconds; the first run makes the peers' environments
    pytest.mark.skipif(sys.platform != "linux", reason="it measures with /proc"),
]


COMPARED = (
    Experiment.FIRST, Experiment.PUSH, Experiment.BODIES, Experiment.BLOCKING, Experiment.COLD,
)  # fmt: skip


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a quick run has written."""
    folder = tmp_path_factory.mktemp("benchmarks")
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks", "--quick", f"--output={folder}"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode == NO_ENVIRONMENT and os.environ.get("CI") != "true":
        pytest.skip(done.stderr.strip().rpartition("\n")[2])
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def run(output: Path) -> Run:
    return Run.model_validate_json((output / "performance" / "figures.json").read_bytes())


@pytest.mark.parametrize("who", CONTESTANTS, ids=lambda one: one.name)
def test_every_server_takes_part(run: Run, who: Contestant) -> None:
    seen = {(one.experiment, one.case) for one in run.samples if one.who == who.name}
    for experiment in COMPARED:
        if measured(experiment, who.name):
            assert {(experiment, case) for case in CASES[experiment]} <= seen


def test_what_grows_is_measured(run: Run) -> None:
    seen = {(one.experiment, one.case) for one in run.samples}
    for experiment in set(Experiment) - set(COMPARED):
        assert {(experiment, case) for case in CASES[experiment]} <= seen


def test_every_push_is_answered_2xx_or_by_the_bounded_queue(run: Run) -> None:
    ours = {one.name for one in CONTESTANTS if one.kind is Kind.OURS}
    for sample in run.samples:
        if "ok" in sample.figures:
            assert sample.figures["ok"] > 0
            assert sample.figures["other"] == 0
            overloads = sample.experiment is Experiment.BLOCKING and sample.who in ours
            assert overloads or sample.figures["overloaded"] == 0


def test_the_page_has_every_goal_measured(output: Path) -> None:
    text = check_page(output)
    assert "not measured" not in text
    assert text.count("![") == 5


def test_no_path_of_this_machine_is_written(output: Path) -> None:
    written = [path.read_text() for path in output.rglob("*") if path.is_file()]
    assert not any(str(ROOT) in text or str(output) in text for text in written)
