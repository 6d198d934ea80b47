"""One keep-alive connection of the load generator: patch the request, send it, read the answer."""

import select
import socket
from collections.abc import Sequence
from contextlib import suppress

from tests.benchmarks.http1 import Answer, read_answer

ID_MARK = "9" * 16  # where a push has its message's id; every push of a process gets another
CONNECT_SECONDS = 30.0
_MOST = 64 * 1024  # bytes read at once


class LoadFailed(Exception):
    """The server did not answer as a server does. One line."""


class Requests:
    """What is sent: one of `heads`, in turn, and `body`, with ID_MARK replaced in both."""

    def __init__(self, heads: Sequence[str], body: str) -> None:
        self._heads = [head.encode() for head in heads]
        if len({len(head) for head in self._heads}) != 1:
            raise LoadFailed("the heads of a job are not of one length")
        self.first = self._heads[0] + body.encode()
        self._marks = _places(self.first, ID_MARK.encode())

    def patch(self, buffer: bytearray, number: int) -> None:
        """Make the buffer, which holds one request, the request of that number."""
        if len(self._heads) > 1:
            head = self._heads[number % len(self._heads)]
            buffer[: len(head)] = head
        digits = b"%016d" % number
        for place in self._marks:
            buffer[place : place + 16] = digits


def _places(text: bytes, mark: bytes) -> list[int]:
    places = []
    found = text.find(mark)
    while found >= 0:
        places.append(found)
        found = text.find(mark, found + len(mark))
    return places


class Poller:
    """Which connections have something to read, or room to write."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._by_descriptor: dict[int, Connection] = {}

    def add(self, descriptor: int, connection: "Connection") -> None:
        """Wait for what the connection receives."""
        self._by_descriptor[descriptor] = connection
        self._epoll.register(descriptor, select.EPOLLIN)

    def also_writable(self, descriptor: int, *, wanted: bool) -> None:
        """Wait for room to write as well, or no more."""
        self._epoll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))

    def remove(self, descriptor: int) -> None:
        """Forget a connection before it is closed."""
        self._epoll.unregister(descriptor)
        del self._by_descriptor[descriptor]

    def wait(self, seconds: float) -> "list[tuple[Connection, bool, bool]]":
        """(connection, whether to read, whether to write) of those that are ready."""
        return [
            (self._by_descriptor[descriptor], event != select.EPOLLOUT, event & select.EPOLLOUT > 0)
            for descriptor, event in self._epoll.poll(seconds)
        ]

    def close(self) -> None:
        """After every connection."""
        self._epoll.close()


class Connection:
    """`started` is when the request under way was begun, in monotonic ns; 0 while there is none."""

    def __init__(self, port: int, requests: Requests, poller: Poller) -> None:
        self.started = 0
        self._port = port
        self._requests = requests
        self._poller = poller
        self._buffer = bytearray(requests.first)
        self._view = memoryview(self._buffer)
        self._socket: socket.socket | None = None
        self._sent = 0  # bytes of the request under way
        self._wants_room = False
        self._received = b""

    def push(self, number: int, now: int) -> None:
        """Begin the request of that number."""
        self._requests.patch(self._buffer, number)
        self._sent, self.started = 0, now
        self.send()

    def send(self) -> None:
        """Send what the kernel takes; the poller says when it takes more."""
        opened = self._socket or self._connect()
        with suppress(BlockingIOError):  # there is room later
            self._sent += opened.send(self._view[self._sent :] if self._sent else self._view)
        partial = self._sent < len(self._view)
        if partial != self._wants_room:
            self._poller.also_writable(opened.fileno(), wanted=partial)
            self._wants_room = partial

    def receive(self) -> Answer | None:
        """The answer, once it is whole. Raises LoadFailed and BadAnswer."""
        received = self._received + self._read()
        if len(received) == len(self._received):
            self.close()
            if self.started:
                raise LoadFailed("a connection was closed before its answer")
            return None
        answer = read_answer(received)
        if answer is None:
            self._received = received
            return None
        if len(received) > answer.size:
            raise LoadFailed("more bytes than one answer")
        self._received, self.started = b"", 0
        if not answer.keeps:
            self.close()
        return answer

    def _read(self) -> bytes:
        assert self._socket is not None
        try:
            return self._socket.recv(_MOST)
        except ConnectionResetError:
            return b""

    def _connect(self) -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self._port), timeout=CONNECT_SECONDS)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        opened.setblocking(False)
        self._poller.add(opened.fileno(), self)
        self._socket, self._wants_room = opened, False
        return opened

    def close(self) -> None:
        """The next push opens it again."""
        if self._socket is not None:
            self._poller.remove(self._socket.fileno())
            self._socket.close()
            self._socket = None
