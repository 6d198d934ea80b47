"""The real server: gunicorn with threads, set up for Cloud Run, its own log lines as entries."""

import io
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.glogging import Logger
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from worker.app import RAW_HEADERS, create_app
from worker.build import build, root_log
from worker.config import Settings
from worker.feature import HandlersInvalid
from worker.log import Log
from worker.pipeline import Worker
from worker.stdlog import install

GRACEFUL_SECONDS = 8  # of the 10 that Cloud Run gives between SIGTERM and SIGKILL
KEEPALIVE_SECONDS = 75
READ_SECONDS = 20.0  # for the headers and the body of one request
SPARE_THREADS = 4  # so that health is answered while every push waits
HEADER_FIELDS = 256  # 100 attributes of an unwrapped push arrive as headers, beside the usual ones

_WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class PushWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A threaded worker that drains before it stops and bounds how long a request may arrive."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._worker: Worker | None = None
        self._arriving: dict[socket.socket, float] = {}  # -> when its time is up, monotonic
        self._request = threading.local()

    def load_wsgi(self) -> None:
        """Build the worker in this process: nothing that a handler opens is shared by a fork."""
        self._worker, app = self.app.build()
        self.wsgi = self._with_raw_headers(app)

    def _with_raw_headers(self, app: _WsgiApp) -> _WsgiApp:
        """WSGI cannot tell `idempotency_key` from `idempotency-key`; an attribute may be either."""

        def wrapped(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            environ[RAW_HEADERS] = self._request.headers
            return app(environ, start)

        return wrapped

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """Keep the headers as they were sent, and let only unambiguous ones into WSGI."""
        self._request.headers = tuple(req.headers)
        req.headers = [(name, value) for name, value in req.headers if "_" not in name]
        return bool(super().handle_request(req, conn))

    def handle(self, conn: TConn) -> Any:
        """Handle a connection that has something to read."""
        self._arriving[conn.sock] = time.monotonic() + READ_SECONDS
        try:
            return super().handle(conn)
        finally:
            self._arriving.pop(conn.sock, None)

    def notify(self) -> None:
        """Called by the main loop, at least every second."""
        super().notify()
        self._cut_slow_senders(time.monotonic())
        if self._worker is not None and self._worker.draining.is_set() and self._idle():
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
        self.method_queue.defer(lambda: None)  # wake the loop

    def murder_keepalived(self) -> None:
        """Close connections that have been idle too long; all of them once the worker stops."""
        if not self.alive:
            for conn in self.keepalived_conns:
                conn.timeout = 0
        super().murder_keepalived()


class EntryLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's messages go to the process's log; requests are logged by Cloud Run itself."""

    _load_failed = False

    def setup(self, cfg: Any) -> None:
        """Replace gunicorn's own handlers."""
        self.cfg = cfg
        self.error_log.propagate = True
        self.error_log.handlers.clear()
        self.access_log.handlers.clear()

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

    def __init__(self, settings: Settings, descriptor: int) -> None:
        self._settings = settings
        self._descriptor = descriptor  # of the listening socket; gunicorn closes it
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


def serve(settings: Settings) -> None:
    """Serve until SIGTERM. Raises OSError when the address cannot be used."""
    log = root_log(settings)
    install(log)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what a handler prints, line by line
    listener = listen(settings)
    host, port = listener.getsockname()[:2]
    _announce(log, settings, host, port)
    Server(settings, listener.detach()).run()


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
    if settings.workers > 1:
        log.warning(
            "claims.not_shared",
            "CLAIMS=memory is not shared by WORKERS: a redelivery may run in another process",
        )
