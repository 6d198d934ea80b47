"""What the page promises is judged by the figures of the run."""

import pytest

from tests.benchmarks.contestants import FASTAPI_ASYNC, FASTAPI_DEF, OURS
from tests.benchmarks.experiments import ALONE
from tests.benchmarks.goals import GOALS, Goal, judge
from tests.benchmarks.results import Experiment, Run, Sample
from tests.benchmarks.support import SETTING, canned

EQUAL = canned()  # everybody alike


def verdict(run: Run, number: int) -> list[str]:
    return judge(run)[number].row()


def test_equal_figures_are_a_ratio_of_one() -> None:
    goal, wanted, measured, met = verdict(EQUAL, 0)
    assert goal == "CPU per push, compared with FastAPI `async def`"
    assert (wanted[:6], measured[:4], met) == ("≤ 0.60", "1.00", "**no**")


def test_a_goal_is_met_by_the_worker_or_missed_by_a_hair() -> None:
    good = canned({(Experiment.PUSH, OURS.name): {"cpu_us": 60.0}})
    assert verdict(good, 0)[2:] == [verdict(EQUAL, 0)[1].removeprefix("≤ "), "yes"]
    assert not GOALS[0].is_met(0.6001)


def test_the_best_peer_is_the_one_that_counts() -> None:
    run = canned(
        {
            (Experiment.PUSH, OURS.name): {"p99_ms": 1.0},
            (Experiment.PUSH, FASTAPI_ASYNC.name): {"p99_ms": 4.0},
            (Experiment.PUSH, FASTAPI_DEF.name): {"p99_ms": 1.25},
        }
    )
    assert verdict(run, 5)[2].startswith("0.80")


def test_throughput_is_wanted_and_not_bounded() -> None:
    assert GOALS[6].is_met(0.99)
    assert not GOALS[6].is_met(0.94)
    run = canned({(Experiment.BLOCKING, OURS.name): {"per_second": 388.0}})
    assert verdict(run, 6)[1:] == [verdict(run, 6)[1], "0.97 \N{MULTIPLICATION SIGN}", "yes"]
    assert verdict(run, 6)[1].startswith("≥ 0.95")


def test_errors_are_added_up() -> None:
    assert verdict(EQUAL, 7)[2:] == ["0", "yes"]
    run = canned({(Experiment.BLOCKING, OURS.name): {"other": 3.0}})
    assert verdict(run, 7)[2:] == ["3", "**no**"]


def test_a_megabyte_is_compared_with_its_payload_alone() -> None:
    run = canned({(Experiment.BODIES, ALONE): {"cpu_us": 80.0}})
    assert verdict(run, 12)[2:] == ["1.25 \N{MULTIPLICATION SIGN}", "yes"]


def test_memory_may_not_grow_from_the_first_segment_to_the_eleventh() -> None:
    sizes = {"1": 40.0, "10": 41.0, "11": 43.5, "12": 60.0}
    samples = [
        Sample(experiment=Experiment.LIFE, case=case, who=OURS.name, figures={"rss_mb": size})
        for case, size in sizes.items()
    ]
    run = Run(quick=False, setting=SETTING, samples=tuple(samples))
    assert verdict(run, 10)[1:] == ["≤ 45.0 MB", "40.0 MB", "yes"]
    assert verdict(run, 11)[1:] == ["≤ 1.0 MB", "3.5 MB", "**no**"]


def test_what_a_run_left_out_is_said_to_be_not_measured() -> None:
    empty = Run(quick=False, setting=SETTING, samples=())
    rows = [one.row() for one in judge(empty)]
    assert [row[2:] for row in rows] == [["not measured", "-"]] * 13
    assert len(rows) == len(GOALS)


@pytest.mark.parametrize("goal", GOALS, ids=lambda goal: goal.text)
def test_every_goal_is_measured_in_a_whole_run(goal: Goal) -> None:
    assert goal.measure(EQUAL) >= 0


def test_the_median_of_the_rounds_counts() -> None:
    samples = [
        Sample(experiment=Experiment.COLD, case="", who=OURS.name, figures={"wall_ms": value})
        for value in (100.0, 900.0, 120.0)
    ]
    run = Run(quick=False, setting=SETTING, samples=tuple(samples))
    assert run.median(Experiment.COLD, "", OURS.name, "wall_ms") == 120
