"""The laptop cloud's time: faster than the machine's, moved forward, and waited for."""

import threading

import pytest

from tests.support.inprocess import in_thread
from worker.local.clock import Clock


class Machine:
    """A machine's clock that a test sets."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


def test_it_runs_as_fast_as_the_machine_unless_told() -> None:
    machine = Machine()
    clock = Clock(machine=machine)
    machine.time += 5
    assert clock.now() == 1005.0


def test_speed_multiplies_the_time_since_it_began() -> None:
    machine = Machine()
    clock = Clock(60.0, machine=machine)
    assert clock.now() == 1000.0
    machine.time += 2
    assert clock.now() == 1120.0


def test_it_can_be_moved_forward_and_goes_on_from_there() -> None:
    machine = Machine()
    clock = Clock(machine=machine)
    clock.advance(600)
    machine.time += 1
    assert clock.now() == 1601.0


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
def test_it_cannot_be_moved_back(seconds: float) -> None:
    with pytest.raises(ValueError, match="cannot be moved back"):
        Clock().advance(seconds)


def test_who_waits_for_a_time_is_woken_when_it_is_moved_forward() -> None:
    clock, condition = Clock(machine=Machine()), threading.Condition()
    waiting = threading.Event()
    woken = []

    def wait() -> None:
        with condition:
            waiting.set()
            while clock.now() < 1010:
                clock.wait(condition, 3600)
            woken.append(clock.now())

    thread = in_thread(wait)
    waiting.wait()
    clock.advance(10)
    thread.join(30)
    assert woken == [1010.0]


def test_a_wait_is_as_short_as_the_speed_makes_it() -> None:
    clock, condition = Clock(1_000_000.0), threading.Condition()
    with condition:
        clock.wait(condition, 1000)  # returns, or the test times out
    assert clock.now() > 0
