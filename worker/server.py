"""The real server: gunicorn, set up for Cloud Run, its own log lines as entries."""

import ipaddress
import logging
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError, HaltServer
from gunicorn.glogging import Logger

from worker.build import build, root_log
from worker.config import PushAuth, Settings
from worker.edge import READ_SECONDS, Edge
from worker.feature import HandlersInvalid
from worker.log import Log
from worker.memory import return_large_blocks
from worker.push_worker import PushWorker
from worker.reactor import Reactor
from worker.stdlog import Printed, install

GRACEFUL_SECONDS = 9  # of the 10 that Cloud Run gives between SIGTERM and SIGKILL


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

    def __init__(self, settings: Settings, descriptor: int, read_seconds: float) -> None:
        self._settings = settings
        self._descriptor = descriptor  # of the listening socket; gunicorn closes it
        self._read_seconds = read_seconds
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
            "graceful_timeout": GRACEFUL_SECONDS,
            "control_socket_disable": True,
            "worker_tmp_dir": str(shared_memory) if os.access(shared_memory, os.W_OK) else None,
            "logger_class": EntryLogger,
            "loglevel": "debug" if settings.level <= logging.DEBUG else "info",
            "proc_name": settings.service,
        }

    def run(self) -> None:
        """Serve until the master ends."""
        try:
            super().run()
        except HaltServer as halt:  # raised by a second process while the first one's is handled
            sys.exit(halt.exit_status)

    def build_edge(self, reactor: Reactor) -> Edge:
        """What the reactor serves. Ends the process with one line when it cannot be built."""
        try:
            worker = build(self._settings)
        except HandlersInvalid as error:
            raise AppImportError(f"error: {error}") from None
        install(worker.log)
        return Edge(worker, reactor, self._settings.handler_threads, self._read_seconds)


def listen(settings: Settings) -> socket.socket:
    """A listening socket on HOST and PORT. Raises OSError when the address cannot be used."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    return socket.create_server((settings.host, settings.port), family=family, backlog=2048)


def serve(settings: Settings, *, read_seconds: float = READ_SECONDS) -> None:
    """Serve until SIGTERM. Raises OSError when the address cannot be used."""
    return_large_blocks()
    log = root_log(settings)
    install(log)
    sys.stdout = Printed(log)
    listener = listen(settings)
    host, port = listener.getsockname()[:2]
    announce(log, settings, host, port)
    Server(settings, listener.detach(), read_seconds).run()


def is_loopback(address: str) -> bool:
    """Whether only this machine can connect to the address."""
    return ipaddress.ip_address(address).is_loopback


def announce(log: Log, settings: Settings, host: str, port: int) -> None:
    """Say where the server listens, and warn of settings that trust or forget much."""
    shown = f"[{host}]" if ":" in host else host
    url = f"http://{shown}:{port}"
    log.info("server.listening", f"listening on {url}", url=url, port=port, **settings.effective())
    if settings.push_auth is PushAuth.NONE and not is_loopback(host):
        log.warning(
            "auth.none",
            "PUSH_AUTH is none and HOST is not loopback: whoever reaches this port can push",
        )
    if settings.quarantine == "none":
        log.warning(
            "quarantine.none",
            "QUARANTINE is none: a message that can never succeed is delivered again until the "
            "subscription's dead-letter policy takes it",
        )
    if settings.claims == "memory" and (settings.workers > 1 or settings.on_cloud_run):
        log.warning(
            "claims.not_shared",
            "CLAIMS=memory is not shared by processes and instances: a redelivery that reaches "
            "another one runs again; CLAIMS=firestore and CLAIMS=redis://... are",
        )
