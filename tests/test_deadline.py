"""How long a push may still take, on a clock that a test holds."""

import pytest

from worker.deadline import Deadline, Shutdown
from worker.outcome import Draining, TimedOut


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


def test_the_end_of_the_process_brings_the_deadline_nearer_and_never_puts_it_off() -> None:
    clock, shutdown = Clock(), Shutdown()
    soon = Deadline(clock.now + 3.0, clock, shutdown)
    late = Deadline(clock.now + 60.0, clock, shutdown)
    assert not shutdown.begun
    shutdown.begin(clock.now + 8.0)
    assert shutdown.begun
    assert (soon.remaining(), late.remaining()) == (3.0, 8.0)
    shutdown.begin(clock.now + 20.0)  # a second SIGTERM gives no second window
    assert late.remaining() == 8.0


def test_a_check_says_which_of_the_two_it_was() -> None:
    clock, shutdown = Clock(), Shutdown()
    shutdown.begin(clock.now + 8.0)
    late = Deadline(clock.now + 60.0, clock, shutdown)
    soon = Deadline(clock.now + 3.0, clock, shutdown)
    clock.now += 7.9
    late.check()
    with pytest.raises(TimedOut):
        soon.check()
    clock.now += 0.1
    with pytest.raises(Draining, match="this instance shuts down before the handler has finished"):
        late.check()


def test_the_shutdown_of_one_worker_is_none_of_anothers() -> None:
    clock, shutdown = Clock(), Shutdown()
    shutdown.begin(clock.now)
    assert Deadline(clock.now + 3.0, clock).remaining() == 3.0
