"""Where a push is run: by the leader while pushes are quick, else by at most so many threads."""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.inprocess import WAIT_SECONDS, ListSink, make_worker
from tests.support.pushes import push_of, wrapped
from worker import Context, feature
from worker.edge import QUICK_SECONDS, Edge
from worker.http1 import Request
from worker.pipeline import Delivery, Worker
from worker.reactor import Reactor
from worker.response import Response

if TYPE_CHECKING:
    from worker.connection import Connection


class Caller:
    """Stands for a connection: keeps its answer."""

    closed = False

    def __init__(self) -> None:
        self.answered: Response | None = None

    def answer(self, response: Response) -> None:
        self.answered = response

    def tick(self, now: float) -> None:
        """It has all the time of the world."""

    def finish(self) -> None:
        self.closed = True


class Gate:
    """A feature whose handlers wait until they are let go, and are counted."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.running = threading.Semaphore(0)

        @feature("wait")
        def wait(context: Context) -> None:
            self.running.release()
            assert self.let_go.wait(WAIT_SECONDS)

        self.feature = wait

    def wait_for(self, count: int) -> None:
        for _ in range(count):
            assert self.running.acquire(timeout=WAIT_SECONDS)


class Bench:
    """An edge whose reactor does only what the test says; it is never started."""

    def __init__(self, worker: Worker, threads: int) -> None:
        self.reactor = Reactor([])
        self.reactor.close()
        self.edge = Edge(worker, self.reactor, threads)
        self._posted = threading.Condition()
        self._work: list[Callable[[], None]] = []
        self.reactor.post = self._post  # type: ignore[method-assign]

    def _post(self, work: Callable[[], None]) -> None:
        with self._posted:
            self._work.append(work)
            self._posted.notify_all()

    def push(self, feature: str, message_id: str) -> Caller:
        caller = Caller()
        push = push_of(wrapped({"feature": feature}, message_id=message_id))
        request = Request("POST", "/", push.headers, push.body, keep_alive=True)
        assert self.edge._take(cast("Connection", caller), request) is None
        return caller

    @property
    def jobs(self) -> list[Delivery]:
        return list(self.reactor.jobs)

    def lead(self, seconds: float = 0.0) -> None:
        """Run the jobs as the leader does."""
        while self.reactor.jobs:
            job = self.reactor.jobs.popleft()
            self.edge.done(job, self.edge.run(job), seconds)

    def do_posted(self, count: int) -> None:
        """Wait until so much was posted, and do it."""
        for _ in range(count):
            with self._posted:
                assert self._posted.wait_for(lambda: self._work, WAIT_SECONDS)
                work = self._work.pop(0)
            work()


@pytest.fixture
def gate() -> Iterator[Gate]:
    made = Gate()
    yield made
    made.let_go.set()


@pytest.fixture
def sink() -> ListSink:
    return ListSink()


@feature("quick")
def quick(context: Context) -> None:
    """Nothing to wait for."""


def make(gate: Gate, sink: ListSink, threads: int = 2, **parts: Any) -> Bench:
    return Bench(make_worker(gate.feature, quick, sink=sink, **parts), threads)


def statuses(callers: list[Caller]) -> list[int | None]:
    return [caller.answered.status if caller.answered else None for caller in callers]


def outcomes(sink: ListSink) -> list[str]:
    return sorted(entry["outcome"] for entry in sink.events("message.processed"))


def test_as_many_quick_pushes_as_come_are_run_by_the_leader(gate: Gate, sink: ListSink) -> None:
    bench = make(gate, sink)
    callers = [bench.push("quick", str(number)) for number in range(100)]
    assert len(bench.jobs) == 100
    bench.lead()
    assert statuses(callers) == [200] * 100


def test_when_pushes_take_long_they_go_to_the_threads_and_come_back_when_they_do_not(
    gate: Gate, sink: ListSink
) -> None:
    bench = make(gate, sink)
    bench.push("quick", "slow")
    bench.lead(seconds=10 * QUICK_SECONDS)
    for number in range(100):
        caller = bench.push("quick", str(number))
        if bench.jobs:
            break
        bench.do_posted(1)
        assert statuses([caller]) == [200]
    assert 0 < number < 99  # as soon as the average is back


def test_more_than_can_run_and_wait_are_turned_away(gate: Gate, sink: ListSink) -> None:
    bench = make(gate, sink, threads=2)
    bench.edge.held_up([])  # whatever the leader ran, it holds one of the two places
    callers = [bench.push("wait", str(number)) for number in range(5)]
    gate.wait_for(1)  # one runs, two wait
    bench.do_posted(2)
    assert statuses(callers) == [None, None, None, 429, 429]
    assert outcomes(sink) == ["overloaded", "overloaded"]
    gate.let_go.set()
    bench.do_posted(3)
    assert statuses(callers[:3]) == [200, 200, 200]


def test_those_behind_a_leader_that_is_held_up_are_not_turned_away(
    gate: Gate, sink: ListSink
) -> None:
    bench = make(gate, sink, threads=2)
    stuck, *callers = [bench.push("wait", str(number)) for number in range(10)]
    job = bench.reactor.jobs.popleft()
    waiting = bench.jobs
    bench.reactor.jobs.clear()
    bench.edge.held_up(waiting)
    gate.wait_for(1)  # beside the one that the leader is held up by
    assert outcomes(sink) == []
    gate.let_go.set()
    bench.edge.back(job, bench.edge.run(job), 1.0)
    bench.do_posted(9)
    assert statuses([stuck, *callers]) == [200] * 10


def test_a_push_that_is_not_answered_in_time_is_timed_out_and_one_that_waits_never_runs(
    gate: Gate, sink: ListSink
) -> None:
    clock = [0.0]
    bench = make(gate, sink, threads=1, budget_seconds=9.0, clock=lambda: clock[0])
    bench.edge.held_up([])
    bench.edge.back(cast("Delivery", None), None, 10 * QUICK_SECONDS)
    runs, waits = bench.push("wait", "runs"), bench.push("wait", "waits")
    gate.wait_for(1)
    clock[0] = 8.9
    bench.edge.tick()
    assert statuses([runs, waits]) == [None, None]
    clock[0] = 9.0
    bench.edge.tick()
    bench.do_posted(2)
    assert statuses([runs, waits]) == [504, 504]
    gate.let_go.set()
    bench.do_posted(2)  # the late one, and the one that was dropped
    assert outcomes(sink) == ["timed_out", "timed_out"]
    (late,) = sink.events("handler.late")
    assert late["message_id"] == "runs"


def test_a_place_is_free_again_after_a_push_that_was_answered_without_it(
    gate: Gate, sink: ListSink
) -> None:
    clock = [0.0]
    bench = make(gate, sink, threads=1, clock=lambda: clock[0])
    bench.edge.held_up([])
    bench.edge.back(cast("Delivery", None), None, 10 * QUICK_SECONDS)
    bench.push("wait", "late")
    gate.wait_for(1)
    clock[0] = 1e6
    bench.edge.tick()
    bench.do_posted(1)
    gate.let_go.set()
    bench.do_posted(1)
    next_one = bench.push("quick", "next")
    bench.do_posted(1)
    assert statuses([next_one]) == [200]
