"""Threads for work that may wait."""

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator

import pytest

from tests.support.inprocess import WAIT_SECONDS
from tests.support.server import ROOT
from worker.pool import Pool


class Blocker:
    """Work that runs until it is let go."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.let_go = threading.Event()
        self.thread = ""

    def __call__(self) -> None:
        self.thread = threading.current_thread().name
        self.running.set()
        assert self.let_go.wait(WAIT_SECONDS)


@pytest.fixture
def blocker() -> Iterator[Callable[[], Blocker]]:
    made: list[Blocker] = []

    def make() -> Blocker:
        made.append(Blocker())
        return made[-1]

    yield make
    for one in made:
        one.let_go.set()


def run(pool: Pool, work: Callable[[], object]) -> None:
    """Have the work done, and wait until it is."""
    done = threading.Event()

    def both() -> None:
        work()
        done.set()

    pool.submit(both)
    assert done.wait(WAIT_SECONDS)


def test_as_many_run_at_once_as_there_are_threads_and_no_more(
    blocker: Callable[[], Blocker],
) -> None:
    pool = Pool(2, "work")
    first, second, third = blocker(), blocker(), blocker()
    for one in (first, second, third):
        pool.submit(one)
    assert first.running.wait(WAIT_SECONDS)
    assert second.running.wait(WAIT_SECONDS)
    assert not third.running.is_set()
    first.let_go.set()
    assert third.running.wait(WAIT_SECONDS)
    assert {first.thread, second.thread} == {"work-1", "work-2"}
    assert third.thread == first.thread


def test_work_is_done_in_the_order_it_came() -> None:
    pool, done = Pool(1, "work"), list[int]()
    for number in range(50):
        pool.submit(lambda number=number: done.append(number))  # type: ignore[misc]
    run(pool, lambda: None)
    assert done == list(range(50))


@pytest.mark.parametrize("error", [KeyError("k"), SystemExit(1)])
def test_work_that_raises_is_told_and_its_thread_goes_on(
    error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", told.append)

    def fail() -> None:
        raise error

    pool = Pool(1, "work")
    pool.submit(fail)
    run(pool, lambda: None)
    assert [(args.exc_value, args.thread and args.thread.name) for args in told] == [
        (error, "work-1")
    ]


def test_a_thread_that_hangs_does_not_keep_the_process_alive() -> None:
    script = (
        "import threading\n"
        "from worker.pool import Pool\n"
        "Pool(1, 'work').submit(threading.Event().wait)\n"
        "print('end')\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=WAIT_SECONDS, check=True)
    assert done.stdout == b"end\n"


def test_an_idle_thread_does_not_keep_the_last_work_alive() -> None:
    pool = Pool(1, "work")
    work = Blocker()
    work.let_go.set()
    kept = weakref.ref(work)
    pool.submit(work)
    del work
    run(pool, lambda: None)
    gc.collect()
    assert kept() is None
