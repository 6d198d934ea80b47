"""From what the load generator counted to figures; a wrong answer ends the run in one line."""

import pytest

from tests.benchmarks.bench import Case, check, figures_of
from tests.benchmarks.failure import BenchmarkFailed
from tests.benchmarks.loadgen import Result
from tests.benchmarks.plan import QUICK
from tests.benchmarks.results import Experiment

PLAIN = Case(Experiment.BLOCKING, "80", "{}", QUICK.short)
MAY_OVERLOAD = Case(Experiment.BLOCKING, "80", "{}", QUICK.short, may_overload=True)


def result(**statuses: int) -> Result:
    counts = {name.removeprefix("s"): number for name, number in statuses.items()}
    return Result(counts, 2.0, p50=0.001, p99=0.002, p999=0.003, client_cpu_seconds=0.5)


def test_figures_are_those_of_the_pushes_answered_2xx() -> None:
    figures = figures_of(result(s200=300, s204=100, s429=100), cpu=0.04)
    assert (figures["ok"], figures["overloaded"], figures["other"]) == (400, 100, 0)
    assert figures["per_second"] == 200
    assert figures["cpu_us"] == pytest.approx(100)
    assert (figures["p50_ms"], figures["p99_ms"], figures["p999_ms"]) == (1, 2, 3)
    assert figures["client_us"] == pytest.approx(1000)
    assert figures["client_busy"] == 0.25


def test_what_is_neither_2xx_nor_429_is_an_error() -> None:
    assert figures_of(result(s200=1, s429=2, s500=3, s403=4), cpu=0)["other"] == 7


@pytest.mark.parametrize("case", [PLAIN, MAY_OVERLOAD])
def test_any_2xx_is_fine(case: Case) -> None:
    check(result(s200=1, s204=1), "a server", case)


def test_only_a_bounded_queue_may_be_full() -> None:
    check(result(s200=1, s429=1), "a server", MAY_OVERLOAD)
    with pytest.raises(BenchmarkFailed, match=r"^a server, blocking 80: answered 1 x 200, 2 x 429"):
        check(result(s200=1, s429=2), "a server", PLAIN)


@pytest.mark.parametrize("wrong", [result(s429=5), result(s200=5, s503=1), result()])
def test_no_success_or_another_status_ends_the_run(wrong: Result) -> None:
    with pytest.raises(BenchmarkFailed, match="answered"):
        check(wrong, "a server", MAY_OVERLOAD)
