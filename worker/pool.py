"""Threads for work that may wait: a fixed number, one queue, nobody waits here for a result."""

import queue
import sys
import threading
from collections.abc import Callable


class Pool:
    """Runs work in the order it came, on at most `threads` threads.

    They are daemons, each started by work that finds the others busy: one that hangs holds neither
    the others nor the end of the process.
    """

    def __init__(self, threads: int, name: str) -> None:
        self._unstarted = [f"{name}-{number}" for number in range(threads, 0, -1)]
        self._jobs: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._idle = threading.Semaphore(0)  # threads that have nothing to do

    def submit(self, work: Callable[[], None]) -> None:
        """Have the work done. Only one thread may submit."""
        self._jobs.put(work)
        if not self._idle.acquire(blocking=False) and self._unstarted:
            name = self._unstarted.pop()
            threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        while True:
            work = self._jobs.get()
            try:
                work()
            except BaseException:  # noqa: BLE001 - told, as for any thread; this one goes on
                args = (*sys.exc_info(), threading.current_thread())
                threading.excepthook(threading.ExceptHookArgs(args))
            del work  # an idle thread must not keep the last message alive
            self._idle.release()
