"""Handler threads: a fixed number, a bounded queue before them, and no waiting past a deadline."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, InvalidStateError, wait
from contextlib import suppress
from typing import Any, TypeVar

from worker.deadline import Deadline
from worker.outcome import Draining, Overloaded, TimedOut

T = TypeVar("T")

_Job = tuple["Future[object]", Callable[[], object]]


class Pool:
    """Runs work on at most `threads` threads; at most `waiting` more may queue.

    The threads are daemons, started when needed: a handler that hangs holds its thread, and neither
    the answer to its push nor the end of the process.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        self._threads = threads
        self._room = threading.BoundedSemaphore(threads + waiting)
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._started = 0
        self._lock = threading.Lock()
        self._stopped: Future[object] = Future()

    def run(self, work: Callable[[], T], deadline: Deadline) -> T:
        """Run `work` on a handler thread and return what it returns, or raise what it raises.

        Raises Overloaded at once when the queue is full, and TimedOut at the deadline: work that
        waits is dropped then, work that runs goes on without anybody waiting for it. Raises
        Draining, with the same consequence, when the pool is stopped before.
        """
        if not self._room.acquire(blocking=False):
            raise Overloaded(f"all {self._threads} handler threads are busy and the queue is full")
        future: Future[T] = Future()
        self._jobs.put((future, work))  # type: ignore[arg-type]  # any T
        self._start_thread()
        ends: tuple[Future[Any], ...] = (future, self._stopped)
        wait(ends, deadline.remaining(), FIRST_COMPLETED)
        if not future.cancel() and future.done():  # in time after all
            return future.result()
        if self._stopped.done():
            raise Draining("this instance shuts down before the handler has finished")
        raise TimedOut("no answer from the handler before the ack deadline")

    def stop(self) -> None:
        """Wait for no handler any more: every `run`, those that wait now included, ends at once."""
        with suppress(InvalidStateError):  # stopped before
            self._stopped.set_result(None)

    def _start_thread(self) -> None:
        if self._idle.acquire(blocking=False):
            return
        with self._lock:
            if self._started < self._threads:
                self._started += 1
                name = f"handler-{self._started}"
                threading.Thread(target=self._work, name=name, daemon=True).start()

    def _work(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                self._idle.release()
                job = self._jobs.get()
            self._do(*job)
            del job  # an idle thread must not keep the last message alive

    def _do(self, future: "Future[object]", work: Callable[[], object]) -> None:
        try:
            if future.set_running_or_notify_cancel():
                future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for the result
            future.set_exception(error)
        finally:
            self._room.release()
