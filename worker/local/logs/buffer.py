"""Entries on their way to the store: many single ones become few transactions."""

import threading
from collections.abc import Callable, Sequence

from worker.local.logs.entries import Ready

_DELAY_SECONDS = 0.05  # that an entry waits for others
_MOST = 2_000  # entries; whoever adds more writes them

Write = Callable[[Sequence[Ready]], object]


class Buffer:
    """`add` returns at once; a thread calls `write` soon, `flush` and `close` before they return.

    What `write` raises, the next `flush`, `close` or `add` of many raises; the entries are kept.
    """

    def __init__(self, write: Write) -> None:
        self._write = write
        self._held: list[Ready] = []
        self._writing = threading.Lock()  # one batch at a time: entries keep their order
        self._added = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    def add(self, entry: Ready) -> None:
        """Hand over one entry. After `close` it is written at once."""
        with self._added:
            self._held.append(entry)
            many = len(self._held) >= _MOST or self._closed
            if self._thread is None and not self._closed:
                self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
                self._thread.start()
            self._added.notify()
        if many:
            self.flush()

    def flush(self) -> None:
        """Return when all that was added before is written."""
        with self._writing:
            with self._added:
                batch, self._held = self._held, []
            if not batch:
                return
            try:
                self._write(batch)
            except BaseException:
                with self._added:
                    self._held = batch + self._held
                raise

    def close(self) -> None:
        """Write what is there and end the thread."""
        with self._added:
            self._closed = True
            self._added.notify()
        if self._thread is not None:
            self._thread.join()
        self.flush()

    def _run(self) -> None:
        while True:
            with self._added:
                self._added.wait_for(lambda: self._held or self._closed)
                if self._closed:
                    return
                self._added.wait_for(lambda: self._closed, _DELAY_SECONDS)
            try:
                self.flush()
            except Exception:  # noqa: BLE001, S112 - kept: flush() and close() raise it to a caller
                continue
