"""The circuit breaker, on a clock that the test holds."""

import pytest

from tests.contracts.claims import FakeClock
from worker.claims.circuit import FAILURES, RETRY_SECONDS, Circuit


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def circuit(clock: FakeClock) -> Circuit:
    return Circuit(clock)


def fail(circuit: Circuit, times: int) -> list[bool]:
    return [circuit.failed() for _ in range(times)]


def test_it_opens_after_some_failures_in_a_row_and_says_so_once(circuit: Circuit) -> None:
    assert fail(circuit, FAILURES + 2) == [False] * (FAILURES - 1) + [True, False, False]
    assert not circuit.lets_through()


def test_a_call_that_works_in_between_starts_the_count_again(circuit: Circuit) -> None:
    for _ in range(3):
        fail(circuit, FAILURES - 1)
        assert not circuit.worked()
    assert circuit.lets_through()


def test_an_open_one_lets_one_call_through_in_a_while(circuit: Circuit, clock: FakeClock) -> None:
    fail(circuit, FAILURES)
    clock.now += RETRY_SECONDS - 0.01
    assert not circuit.lets_through()
    for _ in range(3):
        clock.now += RETRY_SECONDS
        assert [circuit.lets_through() for _ in range(3)] == [True, False, False]
        circuit.failed()
        assert not circuit.lets_through()


def test_a_call_that_works_closes_it_and_it_says_so_once(
    circuit: Circuit, clock: FakeClock
) -> None:
    fail(circuit, FAILURES)
    clock.now += RETRY_SECONDS
    assert circuit.lets_through()
    assert [circuit.worked(), circuit.worked()] == [True, False]
    assert [circuit.lets_through() for _ in range(3)] == [True] * 3
