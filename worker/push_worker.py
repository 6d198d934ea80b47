"""gunicorn's threaded worker, made to drain at SIGTERM and to cut off those who send too slowly."""

import json
import math
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from worker.app import BODY_READ, RAW_HEADERS

if TYPE_CHECKING:
    from worker.pipeline import Worker

DRAIN_SECONDS = (
    6.0  # of the 8 that a shutdown takes; then pushes are answered without their handlers
)
LINGER_SECONDS = 2.0  # for the sender to read the answer and close
LINGER_BYTES = 64 * 1024  # that it may still send meanwhile

WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PushWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that drains before it stops and bounds how long a request may arrive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._worker: Worker | None = None
        self._arriving: dict[socket.socket, float] = {}  # -> when its time is up, monotonic
        self._request = threading.local()
        self._drain_until = math.inf  # monotonic seconds

    def load_wsgi(self) -> None:
        """Build the worker in this process: nothing that a handler opens is shared by a fork."""
        try:
            self._worker, app = self.app.build()
        except AppImportError:
            if 1 < self.age <= self.cfg.workers:  # the first of those that start together says why
                raise SystemExit(Arbiter.APP_LOAD_ERROR) from None
            raise
        self.wsgi = self._with_raw_headers(app)

    def _with_raw_headers(self, app: WsgiApp) -> WsgiApp:
        """WSGI cannot tell `idempotency_key` from `idempotency-key`; an attribute may be either."""

        def wrapped(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            environ[RAW_HEADERS] = self._request.headers
            environ[BODY_READ] = self._request.body_read
            return app(environ, start)

        return wrapped

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """Keep the headers as they were sent, and let only unambiguous ones into WSGI."""

        def body_read(*, whole: bool) -> None:
            self._arriving.pop(conn.sock, None)
            if not whole:
                req.force_close()  # what is left of the body must not be read as the next request

        self._request.headers = tuple(req.headers)
        self._request.body_read = body_read
        req.headers = [(name, value) for name, value in req.headers if "_" not in name]
        return bool(super().handle_request(req, conn))

    def handle(self, conn: TConn) -> Any:
        """Handle the requests that a connection has sent; one that is silent holds no thread."""
        if not conn.initialized and not conn.wait_for_data(0):
            return _DEFER
        kept = self._handle_next(conn)
        while kept and _pipelined(conn):  # the poller would not see what is read already
            kept = self._handle_next(conn)
        if not kept:
            _linger(conn.sock)
        return kept

    def _handle_next(self, conn: TConn) -> bool:
        self._arriving[conn.sock] = time.monotonic() + self.app.read_seconds
        try:
            kept: bool = super().handle(conn)
        finally:
            self._arriving.pop(conn.sock, None)
        return kept

    def handle_error(
        self,
        req: Request | None,  # noqa: ARG002 - gunicorn's signature
        client: socket.socket,
        addr: object,  # noqa: ARG002 - as above
        exc: BaseException,
    ) -> None:
        """Answer what is no HTTP request; gunicorn's own answer and entry repeat what was sent."""
        name = type(exc).__name__
        if isinstance(exc, errors.ParseException):
            status = _STATUS_OF.get(type(exc), "400 Bad Request")
            self.log.warning("answered %s: %s", status, name)
        else:
            status = "500 Internal Server Error"
            self.log.error("a request could not be handled", exc_info=exc)
        body = json.dumps({"error": status[4:], "reason": f"the request cannot be read: {name}"})
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nContent-Type: application/json\r\n"
        text = f"{head}Content-Length: {len(body) + 1}\r\n\r\n{body}\n"
        with suppress(OSError):  # it is gone already
            client.sendall(text.encode())

    def notify(self) -> None:
        """Called by the main loop, at least every second."""
        super().notify()
        now = time.monotonic()
        self._cut_slow_senders(now)
        if self._worker is not None and self._worker.draining.is_set():
            if now > self._drain_until:
                self._worker.pool.stop()
            if self._idle():
                super().handle_exit(None, None)

    def _cut_slow_senders(self, now: float) -> None:
        for connection, until in list(self._arriving.items()):
            if now > until:
                self._arriving.pop(connection, None)
                try:
                    connection.shutdown(socket.SHUT_RD)  # a blocked read returns; writing goes on
                except OSError:
                    continue  # it is gone already

    def _idle(self) -> bool:
        return bool(self.nr_conns <= len(self.keepalived_conns) + len(self.pending_conns))

    def handle_exit(self, sig: int | None, frame: Any) -> None:
        """SIGTERM: not ready at once and no new push; the process ends when none is in flight."""
        if self._worker is None:
            super().handle_exit(sig, frame)
            return
        self._worker.draining.set()
        self._drain_until = min(self._drain_until, time.monotonic() + DRAIN_SECONDS)
        self.method_queue.defer(lambda: None)  # wake the loop

    def murder_keepalived(self) -> None:
        """Close connections that have been idle too long; all of them once the worker stops."""
        if not self.alive:
            for conn in (*self.keepalived_conns, *self.pending_conns):
                conn.timeout = 0
        super().murder_keepalived()


_STATUS_OF = {
    errors.ExpectationFailed: "417 Expectation Failed",
    errors.LimitRequestHeaders: "431 Request Header Fields Too Large",
    errors.UnsupportedTransferCoding: "501 Not Implemented",
}


def _pipelined(conn: TConn) -> bool:
    """Whether more of the connection was read than the requests that were answered."""
    read_ahead = conn.parser.unreader.take_buffered()
    conn.parser.unreader.unread(read_ahead)
    return bool(read_ahead)


def _linger(connection: socket.socket) -> None:
    """Wait here until the sender has closed: gunicorn does it on the thread that accepts."""
    until = time.monotonic() + LINGER_SECONDS
    room = LINGER_BYTES
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while room > 0 and (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            if not (dropped := connection.recv(4096)):
                break
            room -= len(dropped)
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)  # gunicorn's own wait ends at once
