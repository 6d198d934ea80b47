"""Handler threads: how many, how many wait, and what a deadline does to both."""

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from tests.support.inprocess import WAIT_SECONDS, in_thread
from worker.deadline import Deadline
from worker.outcome import Draining, Overloaded, TimedOut
from worker.pool import Pool


def soon() -> Deadline:
    """A deadline that no test reaches."""
    return Deadline.after(WAIT_SECONDS)


PAST = Deadline(0.0, lambda: 1.0)


def when(event: threading.Event) -> Deadline:
    """A deadline that is reached as soon as the event has happened."""

    def clock() -> float:
        assert event.wait(WAIT_SECONDS)
        return 1.0

    return Deadline(0.0, clock)


class Blocker:
    """Work that runs until it is let go."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.let_go = threading.Event()
        self.ended = threading.Event()

    def __call__(self) -> str:
        self.running.set()
        assert self.let_go.wait(WAIT_SECONDS)
        self.ended.set()
        return "done"


@pytest.fixture
def blockers() -> Iterator[Callable[[], Blocker]]:
    """Makes blockers; those still running are let go when the test ends."""
    made: list[Blocker] = []

    def make() -> Blocker:
        made.append(Blocker())
        return made[-1]

    yield make
    for blocker in made:
        blocker.let_go.set()


def start(pool: Pool, work: Callable[[], Any], deadline: Deadline | None = None) -> "Future[Any]":
    """`pool.run` on a thread of its own, with what it returned or raised."""
    ended: Future[Any] = Future()

    def run() -> None:
        try:
            ended.set_result(pool.run(work, deadline or soon()))
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            ended.set_exception(error)

    in_thread(run)
    return ended


def test_work_runs_on_a_handler_thread_and_its_result_comes_back() -> None:
    name = Pool(1, 0).run(lambda: threading.current_thread().name, soon())
    assert name == "handler-1"


def test_a_handler_thread_does_not_keep_the_process_alive() -> None:
    assert Pool(1, 0).run(lambda: threading.current_thread().daemon, soon())


@pytest.mark.parametrize(
    "error",
    [
        ValueError("v"), TimeoutError("t"), SystemExit(1), KeyboardInterrupt(), GeneratorExit(),
        StopIteration(), TimedOut("mine"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_the_work_raises_comes_back_as_it_is_and_the_thread_lives_on(
    error: BaseException,
) -> None:
    pool = Pool(1, 0)

    def work() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        pool.run(work, soon())
    assert caught.value is error
    assert pool.run(lambda: threading.current_thread().name, soon()) == "handler-1"


def test_threads_are_used_again() -> None:
    pool = Pool(4, 4)
    names = {pool.run(lambda: threading.current_thread().name, soon()) for _ in range(50)}
    assert len(names) <= 4


def test_as_many_run_at_once_as_there_are_threads_and_no_more(
    blockers: Callable[[], Blocker],
) -> None:
    pool = Pool(3, 1)
    running = [blockers() for _ in range(3)]
    ends = [start(pool, blocker) for blocker in running]
    assert all(blocker.running.wait(WAIT_SECONDS) for blocker in running)
    waiting = blockers()
    last = start(pool, waiting)
    running[0].let_go.set()
    assert waiting.running.wait(WAIT_SECONDS)  # only now is a thread free
    assert running[0].ended.is_set()
    for blocker in (*running, waiting):
        blocker.let_go.set()
    assert [end.result(WAIT_SECONDS) for end in (*ends, last)] == ["done"] * 4


@pytest.mark.parametrize(("threads", "waiting"), [(1, 0), (2, 3)])
def test_over_the_bound_the_answer_is_overloaded_at_once(
    blockers: Callable[[], Blocker], threads: int, waiting: int
) -> None:
    pool = Pool(threads, waiting)
    taken = [blockers() for _ in range(threads + waiting)]
    ends = [start(pool, blocker) for blocker in taken]
    until_full(pool)
    with pytest.raises(Overloaded, match=f"all {threads} handler threads are busy"):
        pool.run(lambda: None, soon())
    for blocker in taken:
        blocker.let_go.set()
    assert [end.result(WAIT_SECONDS) for end in ends] == ["done"] * len(taken)
    assert pool.run(lambda: "free again", soon()) == "free again"


def until_full(pool: Pool) -> None:
    """Return when every place of the pool is taken."""
    while pool._room.acquire(blocking=False):
        pool._room.release()


def test_running_work_goes_on_after_its_deadline_and_keeps_its_place(
    blockers: Callable[[], Blocker],
) -> None:
    pool = Pool(1, 0)
    work = blockers()
    with pytest.raises(TimedOut, match="no answer from the handler before the ack deadline"):
        pool.run(work, when(work.running))
    with pytest.raises(Overloaded):
        pool.run(lambda: None, soon())
    work.let_go.set()
    assert work.ended.wait(WAIT_SECONDS)


def test_work_that_waits_past_its_deadline_never_runs(blockers: Callable[[], Blocker]) -> None:
    pool = Pool(1, 2)
    first = blockers()
    end = start(pool, first)
    assert first.running.wait(WAIT_SECONDS)
    ran: list[str] = []
    with pytest.raises(TimedOut):
        pool.run(lambda: ran.append("late"), PAST)
    first.let_go.set()
    assert end.result(WAIT_SECONDS) == "done"
    assert pool.run(lambda: "next", soon()) == "next"  # the one thread has passed the dropped work
    assert ran == []


def test_work_that_is_done_in_time_counts_even_if_nobody_looked_before_the_deadline() -> None:
    pool = Pool(1, 0)

    def clock() -> float:
        assert pool._idle.acquire(timeout=WAIT_SECONDS)  # the thread has nothing to do any more
        return 1.0

    assert pool.run(lambda: "result", Deadline(0.0, clock)) == "result"


def test_stopping_ends_every_wait_at_once_and_running_work_goes_on(
    blockers: Callable[[], Blocker],
) -> None:
    pool = Pool(1, 1)
    work = blockers()
    running = start(pool, work)
    assert work.running.wait(WAIT_SECONDS)
    ran: list[str] = []
    waiting = start(pool, lambda: ran.append("late"))
    until_full(pool)
    pool.stop()
    pool.stop()
    for end in (running, waiting):
        with pytest.raises(Draining):
            end.result(WAIT_SECONDS)
    work.let_go.set()
    assert work.ended.wait(WAIT_SECONDS)
    assert ran == []


def test_an_idle_thread_does_not_keep_the_last_work_alive() -> None:
    class Large:
        """Stands for a message of 10 MB."""

    large = Large()
    gone = weakref.ref(large)
    pool = Pool(1, 0)

    def work(held: Large = large) -> None: ...

    pool.run(work, soon())
    del work, large
    pool._idle.acquire(timeout=WAIT_SECONDS)  # the thread waits for its next work
    gc.collect()
    assert gone() is None
