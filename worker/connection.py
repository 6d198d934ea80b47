"""One HTTP connection: requests are handed over one at a time, and nobody may keep it for ever."""

import math
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from selectors import EVENT_READ, EVENT_WRITE, BaseSelector

from worker.body import MAX_BODY, Room
from worker.http1 import Reader, Request, Unreadable
from worker.response import Response

MAX_CONNECTIONS = 1000  # of one process: each may hold its headers and FREE_BODY
KEEPALIVE_SECONDS = 75.0  # that a connection may be idle
LINGER_SECONDS = 2.0  # for the sender to read the answer and close
_DISCARD = 2 * MAX_BODY  # bytes read and dropped so that the sender gets to read the answer

# Answers a request now, or returns None and calls `Connection.answer` later.
Take = Callable[["Connection", Request | Unreadable], "Response | None"]
_buffer = memoryview(bytearray(256 * 1024))  # of the thread that serves, for every connection
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_LOST = "the connection was lost while the body was read"


class Connection:
    """Reads requests, hands them to `take` one at a time, writes the answers in order.

    It belongs to the thread that serves. `busy` while a request was handed over and is not
    answered; `until` is when (monotonic seconds) its patience ends with what it is doing.
    """

    def __init__(
        self,
        link: socket.socket,
        selector: BaseSelector,
        take: Take,
        room: Room,
        read_seconds: float,
    ) -> None:
        self.busy = False
        self.until = time.monotonic() + KEEPALIVE_SECONDS
        self.closed = False
        self._link = link
        self._selector = selector
        self._take = take
        self._read_seconds = read_seconds
        self._room = room
        self._reader = Reader(room)
        self._current: Request | Unreadable | None = None
        self._unsent = b""
        self._eof = False  # the sender sends no more
        self._lingers_until = 0.0  # monotonic seconds; 0 while requests are read
        self._to_drop = _DISCARD
        self._events = EVENT_READ
        selector.register(link, EVENT_READ, self.ready)

    def ready(self, events: int) -> None:
        """Read and write what can be."""
        if events & EVENT_WRITE:
            self._flush()
        if events & EVENT_READ and not self.closed:
            self._read()
        self._advance()

    def tick(self, now: float) -> None:
        """End what has taken too long."""
        if now <= self.until:
            return
        if self._reader.in_body:
            self._reader.end("the body did not arrive in time")
            self._advance()
        else:
            self.abort()

    def answer(self, response: Response) -> None:
        """Answer the request that was handed over last."""
        self.busy = False
        self._write(response)
        self._advance()

    def finish(self) -> None:
        """Close, unless a request is being handled or arrives."""
        if not self.busy and not self._reader.begun:
            self._linger()

    def abort(self) -> None:
        """Close now. What was half there is handed over all the same: it has its entry."""
        if self.closed:
            return
        self.closed = True
        if self._events:
            self._selector.unregister(self._link)
        self._link.close()
        self._unsent = b""
        self._reader.end(_LOST)
        self._advance()

    def _read(self) -> None:
        try:
            size = self._link.recv_into(_buffer)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        if size == 0:
            self._eof = True
            self._reader.end(_LOST)
        elif self._lingers_until:
            self._drop(size)
        else:
            begun = self._reader.begun
            self._reader.feed(_buffer[:size])
            if self._reader.begun and not begun:
                self.until = time.monotonic() + self._read_seconds

    def _advance(self) -> None:
        """Hand over what has arrived, and decide what to wait for next."""
        reader = self._reader
        while reader.ready and not self.busy and not self._unsent:
            self._current = reader.ready.popleft()
            response = self._take(self, self._current)
            if response is None:
                self.busy = True
            else:
                self._write(response)
        if reader.finished and not (self.busy or reader.ready or self._unsent):
            self._linger()
        elif reader.continues and reader.begun and not self.busy:
            reader.continues = False
            self._send(_CONTINUE)
        if not reader.begun and not self._lingers_until:
            self.until = math.inf if self.busy else time.monotonic() + KEEPALIVE_SECONDS
        self._wait()

    def _wait(self) -> None:
        """Ask for what is to be waited for."""
        if self.closed:
            return
        # Pipelined requests wait for their turn, and what comes behind them stays out.
        read = 0 if self._eof or self._reader.ready else EVENT_READ
        events = read | (EVENT_WRITE if self._unsent else 0)
        if events == self._events:
            return
        if self._events:
            self._selector.unregister(self._link)
        if events:
            self._selector.register(self._link, events, self.ready)
        self._events = events

    def _write(self, response: Response) -> None:
        request, self._current = self._current, None
        keep_alive = isinstance(request, Request) and request.keep_alive
        with_body = not (isinstance(request, Request) and request.method == "HEAD")
        if isinstance(request, Request):
            self._room.free += request.held
        if not keep_alive:
            self._reader.finish()
        self._send(response.to_bytes(keep_alive=keep_alive, with_body=with_body))

    def _send(self, data: bytes) -> None:
        if not self.closed:
            self._unsent += data
            self._flush()

    def _flush(self) -> None:
        try:
            sent = self._link.send(self._unsent)
        except BlockingIOError:
            return
        except OSError:
            self.abort()
            return
        self._unsent = self._unsent[sent:]

    def _linger(self) -> None:
        """Send the end, then drop what comes until the sender closes: a reset eats the answer."""
        if self._eof:
            self.abort()
        elif not self._lingers_until:
            now = time.monotonic()
            self._lingers_until = now + self._read_seconds
            self.until = now + LINGER_SECONDS
            with suppress(OSError):  # it is gone already
                self._link.shutdown(socket.SHUT_WR)

    def _drop(self, size: int) -> None:
        self._to_drop -= size
        self.until = min(time.monotonic() + LINGER_SECONDS, self._lingers_until)
        if self._to_drop < 0:
            self.abort()
