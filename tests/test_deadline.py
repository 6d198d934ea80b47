"""How long a push may still take, on a clock that a test holds."""

import pytest

from worker.deadline import Deadline
from worker.outcome import TimedOut


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("passed", "left"), [(0, 9.0), (2.5, 6.5), (9, 0.0), (10, 0.0)])
def test_what_is_left_shrinks_to_nothing_and_is_never_negative(passed: float, left: float) -> None:
    clock = Clock()
    deadline = Deadline.after(9.0, clock)
    clock.now += passed
    assert deadline.remaining() == left


def test_a_check_passes_while_something_is_left() -> None:
    clock = Clock()
    deadline = Deadline.after(9.0, clock)
    clock.now += 8.999
    deadline.check()


@pytest.mark.parametrize("passed", [9.0, 9.5])
def test_a_check_at_or_after_the_deadline_is_timed_out(passed: float) -> None:
    clock = Clock()
    deadline = Deadline.after(9.0, clock)
    clock.now += passed
    with pytest.raises(TimedOut, match="the deadline of this delivery has passed"):
        deadline.check()


def test_the_usual_clock_never_jumps() -> None:
    assert 0 < Deadline.after(60.0).remaining() <= 60.0
