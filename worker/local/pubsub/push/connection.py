"""One HTTP/1.1 connection to a push endpoint, for one request after the other."""

import contextlib
import io
import select
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPResponse, IncompleteRead
from typing import Any, cast

ANSWER_LIMIT = 64 * 1024  # bytes of an answer's body that are read
_LAST_INTERIM = (HTTPStatus.PROCESSING, HTTPStatus.SWITCHING_PROTOCOLS)
_SMALL = 64 * 1024  # bytes of a request that are sent in one piece


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; of the body its first ANSWER_LIMIT bytes."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection:
    """Only `cut` may be called from another thread."""

    def __init__(self, host: str, port: int, tls: ssl.SSLContext | None) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._socket: socket.socket | None = None
        self._raw = _Bounded()
        self._reader = _Reader(self._raw)
        self._cut = False
        self.reusable = False
        self.used = 0.0  # time.monotonic of the last answer

    def open(self, until: float) -> None:
        """Connect, unless it is. Raises OSError."""
        if self._socket is not None:
            return
        problem: OSError | None = None
        found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        for family, _, protocol, _, address in found:
            self._socket = socket.socket(family, socket.SOCK_STREAM, protocol)
            try:
                self._connect(address, until)
            except OSError as error:
                problem = error
                self.close()
            else:
                return
        raise problem or OSError("the host has no address")

    def _connect(self, address: Any, until: float) -> None:
        one = cast("socket.socket", self._socket)
        one.settimeout(_left(until))
        one.connect(address)
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            one = self._socket = self._tls.wrap_socket(
                one, server_hostname=self._host, do_handshake_on_connect=False
            )
            one.settimeout(_left(until))
            one.do_handshake()
        self._raw.source = one
        if self._cut:
            raise ConnectionAbortedError

    def post(self, head: bytes, body: bytes, until: float) -> Answer:
        """Send a request and read its answer. Raises OSError, HTTPException."""
        one = cast("socket.socket", self._socket)
        self.reusable = False
        one.settimeout(_left(until))
        # It may answer and hang up before it has read everything: the answer counts.
        with contextlib.suppress(ConnectionError):
            if len(body) <= _SMALL:
                one.sendall(head + body)
            else:
                one.sendall(head)
                one.settimeout(_left(until))
                one.sendall(body)
        self._raw.until = until
        return self._read()

    def _read(self) -> Answer:
        """The answer; interim ones are passed over, but for 102, which acks."""
        while True:
            response = HTTPResponse(cast("socket.socket", self._reader), method="POST")
            with contextlib.closing(response):
                response.begin()
                passing = response.status < HTTPStatus.OK and response.status not in _LAST_INTERIM
                if not passing:
                    return self._read_whole(response)

    def _read_whole(self, response: HTTPResponse) -> Answer:
        headers = {name: response.headers[name] for name in response.headers}
        if response.status < HTTPStatus.OK:  # what comes after it changes nothing
            return Answer(response.status, headers, b"")
        body = response.read(ANSWER_LIMIT)
        if len(body) < ANSWER_LIMIT and response.length:
            raise IncompleteRead(body, response.length)
        self.reusable = response.isclosed() and not response.will_close
        self.used = time.monotonic()
        return Answer(response.status, headers, body)

    def is_quiet(self) -> bool:
        """Whether it may be used again: neither closed nor talking by itself."""
        poll = select.poll()
        poll.register(cast("socket.socket", self._socket), select.POLLIN)
        return not poll.poll(0) and not self._holds_more()

    def _holds_more(self) -> bool:
        """Whether something was received that nobody asked for."""
        self._raw.until = 0.0  # only what is there already
        with contextlib.suppress(TimeoutError):
            return bool(self._reader.peek(1))
        return False

    def cut(self) -> None:
        """End what is under way: whoever waits gets an OSError."""
        self._cut = True
        one = self._socket
        if one is not None:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class _Bounded(io.RawIOBase):
    """The reading side of a socket; no read goes on beyond `until` (time.monotonic)."""

    source: socket.socket
    until = 0.0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.source.settimeout(_left(self.until))
        return self.source.recv_into(buffer)


class _Reader(io.BufferedReader):
    """Stays open when a response ends: the next one comes from here as well."""

    def makefile(self, _mode: str) -> "_Reader":
        """What HTTPResponse asks a socket for."""
        return self

    def close(self) -> None:
        """Not here."""


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
