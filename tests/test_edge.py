"""Where a push is run: by the leader while pushes are quick, else by at most so many threads."""

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.inprocess import WAIT_SECONDS, ListSink, make_worker
from tests.support.pushes import push_of, wrapped
from worker import Context, feature
from worker.claims.memory import MemoryClaims
from worker.edge import DRAIN_SECONDS, LAST_SECONDS, QUEUE_SECONDS, QUICK_SECONDS, Edge
from worker.http1 import Request
from worker.pipeline import Delivery, Worker
from worker.places import Places
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


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def make_slow(gate: Gate, sink: ListSink, clock: Clock, threads: int, **parts: Any) -> Bench:
    """An edge where pushes take long, so that they go to the handler threads."""
    bench = make(gate, sink, threads, budget_seconds=9.0, clock=clock, **parts)
    bench.edge.held_up([])
    bench.edge.back(cast("Delivery", None), None, 1e6)
    return bench


def test_a_push_that_is_not_answered_in_time_is_timed_out(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=1)
    runs = bench.push("wait", "runs")
    gate.wait_for(1)
    clock.now = 8.9
    bench.edge.tick()
    assert statuses([runs]) == [None]
    clock.now = 9.0
    bench.edge.tick()
    bench.do_posted(1)
    assert statuses([runs]) == [504]
    gate.let_go.set()
    bench.do_posted(1)  # the late one
    assert outcomes(sink) == ["timed_out"]
    (late,) = sink.events("handler.late")
    assert late["message_id"] == "runs"


def test_a_push_that_waits_too_long_for_a_thread_is_turned_away_and_never_runs(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=1)
    runs, waits = bench.push("wait", "runs"), bench.push("quick", "waits")
    gate.wait_for(1)
    clock.now = QUEUE_SECONDS
    bench.edge.tick()
    assert statuses([runs, waits]) == [None, None]
    clock.now = QUEUE_SECONDS + 0.01
    bench.edge.tick()
    bench.do_posted(1)
    assert statuses([runs, waits]) == [None, 429]
    (entry,) = sink.events("message.processed")
    assert entry["held_by"] == {"wait": 1}
    gate.let_go.set()
    bench.do_posted(1)
    assert statuses([runs]) == [200]
    assert outcomes(sink) == ["done", "overloaded"]


def hang(bench: Bench, gate: Gate, clock: Clock, count: int) -> list[Caller]:
    """Have that many handlers go on after their deadline."""
    callers = [bench.push("wait", f"late-{clock.now}-{number}") for number in range(count)]
    gate.wait_for(count)
    clock.now += 9.0
    bench.edge.tick()
    bench.do_posted(count)
    assert statuses(callers) == [504] * count
    return callers


def test_handlers_that_hang_leave_their_threads_to_other_features(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=2, places=Places(2))
    hang(bench, gate, clock, 2)
    others = [bench.push("quick", str(number)) for number in range(2)]
    bench.do_posted(2)
    assert statuses(others) == [200, 200]


def test_a_feature_whose_handlers_hang_gets_no_more_threads_and_is_named(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=2, places=Places(2))
    hang(bench, gate, clock, 2)
    another = bench.push("wait", "another")
    bench.do_posted(1)
    assert statuses([another]) == [429]
    entry = sink.events("message.processed")[-1]
    assert (entry["outcome"], entry["feature"]) == ("overloaded", "wait")
    assert entry["reason"] == "all places of wait are taken; held by wait (2)"
    assert entry["held_by"] == {"wait": 2}


def test_no_more_threads_are_replaced_than_there_are(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=1)
    hang(bench, gate, clock, 1)
    hang(bench, gate, clock, 1)
    waits = [bench.push("quick", str(number)) for number in range(2)]
    bench.do_posted(1)  # there is one place to wait, and no thread
    assert statuses(waits) == [None, 429]
    gate.let_go.set()
    bench.do_posted(3)
    assert statuses(waits) == [200, 429]
    assert bench.edge._busy == 0


def test_a_thread_that_comes_back_late_takes_no_place_from_others(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=1)
    hang(bench, gate, clock, 1)
    gate.let_go.set()
    bench.do_posted(1)
    assert bench.edge._busy == 0
    next_one = bench.push("quick", "next")
    bench.do_posted(1)
    assert statuses([next_one]) == [200]


# --- the end of the process


class Claims(MemoryClaims):
    """Says when the claims are given back, and waits to be let go."""

    def __init__(self) -> None:
        super().__init__()
        self.closing = threading.Event()
        self.let_go = threading.Event()

    def close(self) -> None:
        self.closing.set()
        assert self.let_go.wait(WAIT_SECONDS)


@pytest.fixture
def claims() -> Iterator[Claims]:
    made = Claims()
    yield made
    made.let_go.set()


def test_handlers_have_their_time_and_then_are_nacked(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=1)
    caller = bench.push("wait", "1")
    gate.wait_for(1)
    bench.edge.drain()
    bench.do_posted(1)
    clock.now = DRAIN_SECONDS - 0.01
    bench.edge.tick()
    assert statuses([caller]) == [None]
    clock.now = DRAIN_SECONDS
    bench.edge.tick()
    bench.do_posted(1)
    assert statuses([caller]) == [503]
    assert outcomes(sink) == ["draining"]
    bench.edge.tick()
    assert bench.reactor.stopped.is_set()


def test_what_cannot_be_answered_does_not_keep_the_process(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    """Its entry cannot be written, or its sender does not read."""
    bench = make_slow(gate, sink, clock, threads=1)
    bench.push("wait", "1")
    gate.wait_for(1)
    bench.edge.drain()
    bench.do_posted(1)
    clock.now = DRAIN_SECONDS + LAST_SECONDS - 0.01
    bench.edge.tick()
    assert not bench.reactor.stopped.is_set()
    clock.now = DRAIN_SECONDS + LAST_SECONDS
    bench.edge.tick()
    assert bench.reactor.stopped.is_set()


def test_the_claims_of_handlers_that_still_run_are_given_back(
    gate: Gate, sink: ListSink, claims: Claims
) -> None:
    claims.let_go.set()
    make(gate, sink, claims=claims).edge.give_claims_back()
    assert claims.closing.is_set()


def test_a_store_that_does_not_take_the_claims_back_is_not_waited_for(
    gate: Gate, sink: ListSink, claims: Claims
) -> None:
    make(gate, sink, claims=claims).edge.give_claims_back()
    assert claims.closing.is_set()  # and it still waits to be let go


def test_a_deadline_before_the_end_of_the_process_still_counts(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=1)
    caller = bench.push("wait", "1")
    gate.wait_for(1)
    clock.now = 5.0
    bench.edge.drain()
    bench.do_posted(1)
    clock.now = 9.0
    bench.edge.tick()
    bench.do_posted(1)
    assert statuses([caller]) == [504]


def test_a_handler_that_goes_on_after_its_deadline_has_time_until_the_process_ends(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=1)
    hang(bench, gate, clock, 1)
    bench.edge.drain()
    bench.do_posted(1)
    assert not bench.reactor.stopped.is_set()  # it may be done soon: nobody has to run it again
    gate.let_go.set()
    bench.do_posted(1)
    bench.edge.tick()
    assert bench.reactor.stopped.is_set()


def test_with_nothing_left_to_do_the_process_ends_at_once(
    gate: Gate, sink: ListSink, clock: Clock
) -> None:
    bench = make_slow(gate, sink, clock, threads=1)
    bench.edge.drain()
    bench.do_posted(1)
    assert bench.reactor.stopped.is_set()
