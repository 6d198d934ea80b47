"""A connection gives back the room of each body, and there are not too many connections."""

import selectors
import socket
from collections.abc import Iterator

import pytest

from tests.support.inprocess import make_worker
from tests.support.rawhttp import request
from worker.body import FREE_BODY, Room
from worker.connection import Connection
from worker.edge import Edge
from worker.http1 import Request, Unreadable
from worker.reactor import Reactor
from worker.response import Response

SIZE = FREE_BODY + 1000
ROOM = 10_000
OK = Response.of(200, {})


class Bench:
    """One connection, whose requests are answered when the test says so."""

    def __init__(self) -> None:
        self.room = Room(ROOM)
        self.taken: list[Request | Unreadable] = []
        self.selector = selectors.DefaultSelector()
        self.there, link = socket.socketpair()
        link.settimeout(0)
        self.connection = Connection(link, self.selector, self._take, self.room, 20.0)

    def _take(self, _connection: Connection, request: Request | Unreadable) -> Response | None:
        self.taken.append(request)
        return None

    def send(self, data: bytes) -> None:
        """Send it, and have it read piece by piece."""
        view = memoryview(data)
        while view:
            size = self.there.send(view[:50_000])
            view = view[size:]
            self.read()

    def read(self) -> None:
        for key, events in self.selector.select(0):
            key.data(events)

    @property
    def held(self) -> int:
        return ROOM - self.room.free

    def close(self) -> None:
        self.connection.abort()
        self.there.close()
        self.selector.close()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()


def large(*, close: bool = False) -> bytes:
    headers = [("Connection", "close")] if close else []
    return request("POST", "/", headers, b"x" * SIZE)


@pytest.mark.parametrize("close", [False, True])
def test_a_body_holds_its_room_until_it_is_answered(bench: Bench, close: bool) -> None:
    bench.send(large(close=close))
    assert (len(bench.taken), bench.held) == (1, 1000)
    bench.connection.answer(OK)
    assert bench.held == 0


def test_each_of_several_requests_gives_back_its_own(bench: Bench) -> None:
    bench.send(large() + large())
    bench.read()
    assert (len(bench.taken), bench.held) == (1, 2000)
    bench.connection.answer(OK)
    assert (len(bench.taken), bench.held) == (2, 1000)
    bench.connection.answer(OK)
    assert bench.held == 0


def test_a_caller_that_is_gone_holds_room_as_long_as_its_message_is_handled(bench: Bench) -> None:
    bench.send(large())
    bench.there.close()
    bench.read()
    assert bench.held == 1000
    bench.connection.answer(OK)
    assert bench.held == 0


def test_what_comes_behind_the_last_answer_holds_nothing(bench: Bench) -> None:
    bench.send(large(close=True) + large())
    bench.connection.answer(OK)
    assert bench.held == 0


def test_half_a_body_holds_nothing_once_its_sender_is_gone(bench: Bench) -> None:
    bench.send(large()[:-1])
    assert bench.held == 999
    bench.there.close()
    bench.read()
    assert bench.held == 0


class TestTooMany:
    @pytest.fixture
    def edge(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Edge]:
        monkeypatch.setattr("worker.edge.MAX_CONNECTIONS", 2)
        reactor = Reactor([])
        yield Edge(make_worker(), reactor, threads=1)
        reactor.close()

    def connect(self, edge: Edge, listener: socket.socket) -> socket.socket:
        there = socket.create_connection(listener.getsockname())
        link, _ = listener.accept()
        link.settimeout(0)
        edge.accepted(link)
        there.settimeout(0)
        return there

    def is_open(self, there: socket.socket) -> bool:
        try:
            return there.recv(1) != b""
        except BlockingIOError:
            return True

    def test_one_connection_too_many_is_closed_until_another_ends(self, edge: Edge) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            first, second, third = (self.connect(edge, listener) for _ in range(3))
            assert [self.is_open(one) for one in (first, second, third)] == [True, True, False]
            for connection in edge._open:
                connection.abort()
            fourth = self.connect(edge, listener)
            assert self.is_open(fourth)
            for one in (first, second, third, fourth):
                one.close()
            for connection in edge._open:
                connection.abort()
