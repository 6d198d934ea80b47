"""The serving loop: who leads, and what becomes of a leader that is held up."""

import errno
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.inprocess import WAIT_SECONDS, in_thread
from worker.reactor import Reactor


class Jobs:
    """What is served: jobs are callables, and what becomes of them is written down."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.links: list[socket.socket] = []
        self._told = threading.Condition()

    def accepted(self, connection: socket.socket) -> None:
        self.links.append(connection)
        self.tell("accepted", None)

    def tick(self) -> None:
        pass

    def run(self, job: Callable[[], Any]) -> Any:
        return job()

    def done(self, job: Any, result: Any, seconds: float) -> None:
        assert seconds >= 0
        self.tell("done", result)

    def held_up(self, waiting: list[Any]) -> None:
        self.tell("held up", waiting)

    def back(self, job: Any, result: Any, seconds: float) -> None:
        self.tell("back", result)

    def tell(self, what: str, value: Any) -> None:
        with self._told:
            self.told.append((what, value))
            self._told.notify_all()

    def wait_for(self, what: str, value: Any) -> None:
        with self._told:
            assert self._told.wait_for(lambda: (what, value) in self.told, WAIT_SECONDS), self.told


class Serve:
    """A reactor that runs, and is watched."""

    def __init__(self, *listeners: socket.socket) -> None:
        self.reactor = Reactor(list(listeners))
        self.jobs = Jobs()
        self.reactor.start(self.jobs)
        self._watching = in_thread(self._watch)

    def _watch(self) -> None:
        while not self.reactor.stopped.is_set():
            self.reactor.watch()

    def add(self, *jobs: Callable[[], Any]) -> None:
        """Have the leader run these, one after another."""
        self.reactor.post(lambda: self.reactor.jobs.extend(jobs))

    def stop(self) -> None:
        self.reactor.stop()
        self._watching.join(WAIT_SECONDS)
        wait_until_free(self.reactor)


@pytest.fixture
def serve() -> Iterator[Callable[..., Serve]]:
    made: list[Serve] = []

    def make(*listeners: socket.socket) -> Serve:
        made.append(Serve(*listeners))
        return made[-1]

    yield make
    for one in made:
        one.stop()


class Blocked:
    """A job that is not back until it is let go."""

    def __init__(self) -> None:
        self.running = threading.Event()
        self.let_go = threading.Event()

    def __call__(self) -> str:
        self.running.set()
        assert self.let_go.wait(WAIT_SECONDS)
        return "late"


def test_quick_jobs_are_run_by_the_leader_one_after_another(serve: Callable[..., Serve]) -> None:
    server = serve()
    server.add(threading.get_ident, lambda: "second", lambda: "last")
    server.jobs.wait_for("done", "last")
    (_, first), *others = server.jobs.told
    assert others == [("done", "second"), ("done", "last")]
    assert first != threading.get_ident()


def test_a_leader_that_is_held_up_loses_its_lead_and_only_its_own_job(
    serve: Callable[..., Serve],
) -> None:
    server, blocked = serve(), Blocked()
    behind = lambda: "behind"  # noqa: E731 - it is compared below
    server.add(blocked, behind)
    assert blocked.running.wait(WAIT_SECONDS)

    server.jobs.wait_for("held up", [behind])
    server.add(lambda: "served meanwhile")
    server.jobs.wait_for("done", "served meanwhile")
    blocked.let_go.set()

    server.jobs.wait_for("back", "late")
    assert ("done", "late") not in server.jobs.told
    server.add(lambda: "and afterwards")
    server.jobs.wait_for("done", "and afterwards")


def test_one_leader_after_another_can_be_held_up(serve: Callable[..., Serve]) -> None:
    server, blocked = serve(), [Blocked() for _ in range(3)]
    for one in blocked:
        server.add(one)
        assert one.running.wait(WAIT_SECONDS)
    server.add(lambda: "served")
    server.jobs.wait_for("done", "served")
    for one in blocked:
        one.let_go.set()
    server.add(lambda: "at last")
    server.jobs.wait_for("done", "at last")
    server.jobs.wait_for("back", "late")


def test_a_thread_that_lost_the_lead_leads_again_when_another_loses_it(
    serve: Callable[..., Serve],
) -> None:
    server, leaders = serve(), set[int]()
    for _ in range(5):  # a client that a handler keeps for each thread is made twice, not each time
        blocked = Blocked()
        server.add(blocked)
        assert blocked.running.wait(WAIT_SECONDS)
        server.add(lambda: leaders.add(threading.get_ident()), lambda: "others")
        server.jobs.wait_for("done", "others")
        blocked.let_go.set()
        server.jobs.wait_for("back", "late")
        server.jobs.told.clear()
        wait_until_free(server.reactor)
    assert len(leaders) == 2


def wait_until_free(reactor: Reactor) -> None:
    """Return when the thread that was held up waits for a lead."""
    until = time.monotonic() + WAIT_SECONDS
    while not reactor._free:
        assert time.monotonic() < until


def test_what_fails_is_told_and_the_rest_goes_on(
    serve: Callable[..., Serve], caplog: pytest.LogCaptureFixture
) -> None:
    server = serve()

    def fail() -> None:
        raise KeyError("of one connection")

    with caplog.at_level(logging.ERROR):
        server.reactor.post(fail)
        server.add(lambda: "served")
        server.jobs.wait_for("done", "served")
    (record,) = caplog.records
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], KeyError)


def test_what_many_threads_post_is_all_done(serve: Callable[..., Serve]) -> None:
    server, count = serve(), 2000
    done: list[int] = []

    def post_all() -> None:
        for number in range(count):
            server.reactor.post(lambda number=number: done.append(number))  # type: ignore[misc]

    threads = [in_thread(post_all) for _ in range(4)]
    for thread in threads:
        thread.join(WAIT_SECONDS)
    server.add(lambda: "end")
    server.jobs.wait_for("done", "end")
    assert sorted(done) == sorted(4 * list(range(count)))


class FullOnce(socket.socket):
    """A listener for which the process has no descriptor left, the first time."""

    full = True

    def accept(self) -> tuple[socket.socket, Any]:
        if self.full:
            self.full = False
            raise OSError(errno.EMFILE, "Too many open files")
        return super().accept()


def test_a_connection_that_cannot_be_accepted_now_is_accepted_later(
    serve: Callable[..., Serve], caplog: pytest.LogCaptureFixture
) -> None:
    with FullOnce() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()[:2]):
            server = serve(listener)
            server.jobs.wait_for("accepted", None)
            server.stop()
        (link,) = server.jobs.links
        link.close()
    assert caplog.messages == ["cannot accept a connection: Too many open files"]


def test_no_more_connections_are_accepted_once_it_is_told_so(
    serve: Callable[..., Serve], caplog: pytest.LogCaptureFixture
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = serve(listener)
        for _ in range(2):  # a server that drains says so at every tick
            server.reactor.post(server.reactor.stop_accepting)
        server.add(lambda: "stopped")
        server.jobs.wait_for("done", "stopped")
        with socket.create_connection(listener.getsockname()[:2]):
            server.add(lambda: "later")
            server.jobs.wait_for("done", "later")
            assert server.jobs.links == []
    assert caplog.records == []
