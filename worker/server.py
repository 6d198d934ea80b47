"""The real server: gunicorn with threads, set up for Cloud Run, its own log lines as entries."""

import json
import logging
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger
from gunicorn.http import errors
from gunicorn.http.message import Request
from gunicorn.workers.gthread import _DEFER, TConn, ThreadWorker

from worker.app import BODY_READ, RAW_HEADERS, create_app
from worker.build import build, root_log
from worker.config import Settings
from worker.feature import HandlersInvalid
from worker.log import Log
from worker.pipeline import Worker
from worker.stdlog import Printed, install

GRACEFUL_SECONDS = 8  # of the 10 that Cloud Run gives between SIGTERM and SIGKILL
DRAIN_SECONDS = 6.0  # of those 8 for the handlers; then their pushes are answered without them
KEEPALIVE_SECONDS = 75
READ_SECONDS = 20.0  # for the headers and the body of one request
SPARE_THREADS = 4  # so that health is answered while every push waits
LINGER_SECONDS = 2.0  # for the sender to read the answer and close
HEADER_FIELDS = 256  # 100 attributes of an unwrapped push arrive as headers, beside the usual ones

_WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


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
        self._worker, app = self.app.build()
        self.wsgi = self._with_raw_headers(app)

    def _with_raw_headers(self, app: _WsgiApp) -> _WsgiApp:
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
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while (left := until - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(4096):
                break
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)  # gunicorn's own wait ends at once


class EntryLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's messages go to the process's log; requests are logged by Cloud Run itself."""

    _load_failed = False

    def setup(self, cfg: Any) -> None:
        """Replace gunicorn's own handlers."""
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.handlers.clear()
        self.access_log.handlers.clear()

    def debug(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Name errors only: the text of gunicorn's repeats what was sent, tokens included."""
        shown = (type(arg).__name__ if isinstance(arg, BaseException) else arg for arg in args)
        super().debug(msg, *shown, **kwargs)

    def exception(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Leave out the text of an error about what was sent, as above."""
        error = sys.exc_info()[1]
        if error is not None and type(error).__module__ == errors.__name__:
            self.warning("%s %s", msg, type(error).__name__)
        else:
            super().exception(msg, *args, **kwargs)

    def access(self, *_args: Any, **_kwargs: Any) -> None:
        """Cloud Run writes a request log already."""

    def error(self, msg: object, *args: Any, **kwargs: Any) -> None:
        """Leave out what only repeats that the handlers could not be loaded."""
        if args[1:] == (Arbiter.APP_LOAD_ERROR,):
            self._load_failed = True
        if not self._load_failed:
            super().error(msg, *args, **kwargs)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn, configured by Settings alone: no config file, command line or control socket."""

    def __init__(self, settings: Settings, descriptor: int, read_seconds: float) -> None:
        self._settings = settings
        self._descriptor = descriptor  # of the listening socket; gunicorn closes it
        self.read_seconds = read_seconds
        super().__init__()

    def load_config(self) -> None:
        """Set every option that differs from gunicorn's default."""
        for name, value in self.options().items():
            self.cfg.set(name, value)

    def options(self) -> Mapping[str, Any]:
        """Gunicorn's settings."""
        settings = self._settings
        shared_memory = Path("/dev/shm")  # noqa: S108 - gunicorn's heartbeat; a disk could block it
        return {
            "bind": f"fd://{self._descriptor}",
            "workers": settings.workers,
            "worker_class": PushWorker,
            "threads": 2 * settings.handler_threads + SPARE_THREADS,
            "graceful_timeout": GRACEFUL_SECONDS,
            "keepalive": KEEPALIVE_SECONDS,
            "limit_request_fields": HEADER_FIELDS,
            "header_map": "dangerous",  # made safe in PushWorker.handle_request
            "control_socket_disable": True,
            "worker_tmp_dir": str(shared_memory) if os.access(shared_memory, os.W_OK) else None,
            "logger_class": EntryLogger,
            "loglevel": "debug" if settings.level <= logging.DEBUG else "info",
            "proc_name": settings.service,
        }

    def build(self) -> tuple[Worker, _WsgiApp]:
        """The worker and its WSGI application. Ends the process with one line when that fails."""
        try:
            worker = build(self._settings)
        except HandlersInvalid as error:
            raise AppImportError(f"error: {error}") from None
        install(worker.log)
        return worker, create_app(worker)

    def load(self) -> _WsgiApp:
        """Gunicorn's way to the application; PushWorker asks for `build` instead."""
        return self.build()[1]


def listen(settings: Settings) -> socket.socket:
    """A listening socket on HOST and PORT. Raises OSError when the address cannot be used."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=2048)


def serve(settings: Settings, *, read_seconds: float = READ_SECONDS) -> None:
    """Serve until SIGTERM. Raises OSError when the address cannot be used."""
    log = root_log(settings)
    install(log)
    sys.stdout = Printed(log)
    listener = listen(settings)
    host, port = listener.getsockname()[:2]
    _announce(log, settings, host, port)
    Server(settings, listener.detach(), read_seconds).run()


def _announce(log: Log, settings: Settings, host: str, port: int) -> None:
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    log.info("server.listening", f"listening on {url}", url=url, port=port, **settings.effective())
    if settings.quarantine == "none":
        log.warning(
            "quarantine.none",
            "QUARANTINE is none: a message that can never succeed is delivered again until the "
            "subscription's dead-letter policy takes it",
        )
    if settings.workers > 1 or settings.on_cloud_run:
        log.warning(
            "claims.not_shared",
            "CLAIMS=memory is not shared by processes and instances: a redelivery that reaches "
            "another one runs again",
        )
