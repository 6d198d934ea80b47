"""The serving loop: one thread leads it, and another takes the lead when that one is held up.

Sockets and time belong to the leader. As long as jobs are quick it also runs them, between two
looks at the sockets: no other thread has to be woken, and none competes for the interpreter, which
is most of what a push would cost with a thread of its own. A job that is not back in
PATIENCE_SECONDS loses the leader its lead: `watch` has another thread lead from there, and the one
that was held up only posts what its job came to.
"""

import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol

PATIENCE_SECONDS = 0.005  # for a job of the leader's
TICK_SECONDS = 0.25


class Serving(Protocol):
    """What the loop serves. All of it but `run` is called by the leader, and must not wait."""

    def accepted(self, connection: socket.socket) -> None:
        """Take a new connection: register it with the selector."""

    def tick(self) -> None:
        """Look at the time: called every TICK_SECONDS."""

    def run(self, job: Any) -> Any:
        """Do the job; it may wait."""

    def done(self, job: Any, result: Any, seconds: float) -> None:
        """Go on after a job that took so long."""

    def held_up(self, waiting: list[Any]) -> None:
        """A job is not back. Find another place for those that wait behind it."""

    def back(self, job: Any, result: Any, seconds: float) -> None:
        """Go on after the job that was not back in time."""


class Reactor:
    """Leads on a thread of its own once `start` was called; `watch` it from another."""

    def __init__(self, listeners: list[socket.socket]) -> None:
        self.selector = selectors.DefaultSelector()
        self.jobs: deque[Any] = deque()  # for the leader, between two looks at the sockets
        self.stopped = threading.Event()
        self.ticks = 0
        self._serving: Serving
        self._listeners = listeners
        self._paused = list(listeners)
        self._posted: deque[Callable[[], None]] = deque()
        self._awake = False
        self._inbox, self._outbox = socket.socketpair()
        for one in (*listeners, self._inbox, self._outbox):
            one.settimeout(0)
        self._lead = 0  # how often the lead was taken: who has another number has lost it
        self._busy_since = 0.0  # monotonic seconds: since when the leader runs a job; 0: none
        self._free = 0  # threads that wait for a lead
        self._lock = threading.Lock()  # of the three above
        self._leads: SimpleQueue[int] = SimpleQueue()
        self._tick_at = 0.0
        self._watched = threading.Event()  # jobs are run, so somebody has to look often

    def start(self, serving: Serving) -> None:
        """Begin."""
        self._serving = serving
        self.selector.register(self._inbox, selectors.EVENT_READ, self._woken)
        self._accept_again()
        self._take_the_lead()

    def post(self, work: Callable[[], None]) -> None:
        """Have the leader do this soon. Any thread may call it, a signal handler too."""
        self._posted.append(work)
        if not self._awake:
            self._awake = True
            with suppress(OSError):  # it has ended
                self._outbox.send(b"\0")

    def stop_accepting(self) -> None:
        """Take no more connections."""
        for listener in self._listeners:
            self.selector.unregister(listener)
        self._listeners, self._paused = [], []

    def stop(self) -> None:
        """End."""
        self.stopped.set()
        self._watched.set()  # who watches has the process to end

    def close(self) -> None:
        """Give its descriptors back; the leader does it when it was stopped."""
        self.selector.close()
        self._inbox.close()
        self._outbox.close()

    def watch(self) -> None:
        """Wait for a while; give the lead to another thread if the leader is held up."""
        if not self._watched.wait(TICK_SECONDS):
            return
        self._watched.clear()
        time.sleep(PATIENCE_SECONDS)
        job = self._busy_since
        if job and time.monotonic() - job >= PATIENCE_SECONDS:
            time.sleep(PATIENCE_SECONDS / 4)  # this whole process may have been paused
            self._pass_the_lead(job)

    def _pass_the_lead(self, job: float) -> None:
        with self._lock:
            if self._busy_since != job:
                return  # it is back
            self._busy_since = 0.0
            self._lead += 1
        self._posted.appendleft(self._find_places)
        self._take_the_lead()

    def _take_the_lead(self) -> None:
        """Have a thread lead: one that has lost the lead before and is free, else a new one."""
        self._leads.put(self._lead)
        with self._lock:
            start, self._free = self._free == 0, max(0, self._free - 1)
        if start:
            threading.Thread(target=self._run, name="server", daemon=True).start()

    def _run(self) -> None:
        while not self.stopped.is_set():
            self._serve(self._leads.get())
            with self._lock:
                self._free += 1

    def _serve(self, lead: int) -> None:
        """Lead, until the lead is lost or the end has come."""
        jobs, posted = self.jobs, self._posted
        while not self.stopped.is_set():
            while posted:
                _guarded(posted.popleft())
            if time.monotonic() >= self._tick_at:
                self._tick()
            while jobs:
                if not self._work(jobs.popleft(), lead):
                    return
            if not posted:
                for key, events in self.selector.select(TICK_SECONDS):
                    _guarded(key.data, events)
        self.close()

    def _work(self, job: Any, lead: int) -> bool:
        """Run one job. Returns whether this thread still leads."""
        began = self._busy_since = time.monotonic()
        if not self._watched.is_set():
            self._watched.set()
        result = self._serving.run(job)
        seconds = time.monotonic() - began
        with self._lock:
            leads = self._lead == lead
            if leads:
                self._busy_since = 0.0
        if leads:
            _guarded(self._serving.done, job, result, seconds)
        else:
            self.post(partial(self._serving.back, job, result, seconds))
        return leads

    def _find_places(self) -> None:
        waiting = list(self.jobs)
        self.jobs.clear()
        self._serving.held_up(waiting)

    def _tick(self) -> None:
        self.ticks += 1
        self._tick_at = time.monotonic() + TICK_SECONDS
        self._accept_again()
        _guarded(self._serving.tick)

    def _woken(self, _events: int) -> None:
        self._inbox.recv(64)
        self._awake = False

    def _accept_again(self) -> None:
        for listener in self._paused:
            self.selector.register(listener, selectors.EVENT_READ, partial(self._accept, listener))
        self._paused = []

    def _accept(self, listener: socket.socket, _events: int) -> None:
        """Accept one connection: with several processes each gets its share."""
        try:
            connection, _ = listener.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another process was faster, or the caller has gone
        except OSError as error:  # no descriptor is free: it would be tried again at once, for ever
            logging.getLogger(__name__).warning("cannot accept a connection: %s", error.strerror)
            self.selector.unregister(listener)
            self._paused.append(listener)
            return
        connection.settimeout(0)
        self._serving.accepted(connection)


def _guarded(work: Callable[..., Any], *args: Any) -> None:
    """Whatever goes wrong with one connection, the others are served."""
    try:
        work(*args)
    except Exception as error:
        logging.getLogger(__name__).error("the server failed", exc_info=error)
