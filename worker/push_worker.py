"""gunicorn's worker process: it keeps the reactor going, drains it at SIGTERM, and ends."""

import os
from types import FrameType

from gunicorn.arbiter import Arbiter
from gunicorn.errors import AppImportError
from gunicorn.workers.base import Worker as GunicornWorker

from worker.edge import Edge
from worker.reactor import Reactor


class PushWorker(GunicornWorker):  # type: ignore[misc]  # gunicorn has no types
    """Serves until SIGTERM and every request is answered, or until SIGINT or SIGQUIT: at once."""

    _edge: Edge

    def load_wsgi(self) -> None:
        """Build the worker in this process: nothing that a handler opens is shared by a fork."""
        self._reactor = Reactor([wrapped.sock for wrapped in self.sockets])
        try:
            self._edge = self.app.build_edge(self._reactor)
        except AppImportError:
            if 1 < self.age <= self.cfg.workers:  # the first of those that start together says why
                raise SystemExit(Arbiter.APP_LOAD_ERROR) from None
            raise

    def run(self) -> None:
        """Serve; this thread watches. The arbiter kills a process that does not notify it."""
        reactor, ticks = self._reactor, 0
        reactor.start(self._edge)
        while self.alive and not reactor.stopped.is_set() and self.ppid == os.getppid():
            if reactor.ticks != ticks:
                ticks = reactor.ticks
                self.notify()
            reactor.watch()
        self._edge.give_claims_back()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """SIGTERM: not ready at once and no new push; the process ends when none is in flight."""
        if self.booted:
            self._edge.drain()
        else:
            super().handle_exit(sig, frame)
