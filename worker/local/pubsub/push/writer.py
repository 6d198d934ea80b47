"""Writes to a database in batches, from a thread of its own: who has news does not wait for it."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from worker.local.database import Database, StateUnusable

_LINGER_SECONDS = 0.05  # that news may wait for more of it
_MOST = 1000  # news in one transaction

News = TypeVar("News")


class Writer(Generic[News]):
    """Hands all news to `apply`, in order, many at a time, each batch in one transaction."""

    def __init__(
        self, database: Database, apply: Callable[[sqlite3.Connection, Sequence[News]], None]
    ) -> None:
        self._database = database
        self._apply = apply
        self._news: list[News] = []
        self._added = 0
        self._written = 0
        self._hurry = False
        self._closed = False
        self._trouble: Exception | None = None
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="deliveries", daemon=True)
        self._thread.start()

    def add(self, news: News) -> None:
        """Have it written soon."""
        with self._changed:
            self._news.append(news)
            self._added += 1
            if len(self._news) in (1, _MOST):
                self._changed.notify_all()

    def flush(self) -> None:
        """Return when all that was added before is written. Raises StateUnusable."""
        with self._changed:
            wanted = self._added
            self._hurry = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._written >= wanted)
            trouble, self._trouble = self._trouble, None
        if trouble is not None:
            raise StateUnusable(f"the deliveries could not be written: {trouble}") from None

    def close(self) -> None:
        """Write what is left, and end."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            try:
                with self._database.write() as connection:
                    self._apply(connection, batch)
            except sqlite3.Error as error:  # a full disk: the next reader is told
                self._trouble = error
            with self._changed:
                self._written += len(batch)
                self._changed.notify_all()

    def _next(self) -> list[News]:
        """The next batch; an empty one at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._news or self._closed)
            self._changed.wait_for(self._pressed, _LINGER_SECONDS)
            batch, self._news = self._news[:_MOST], self._news[_MOST:]
            self._hurry = bool(self._news) and self._hurry
            return batch

    def _pressed(self) -> bool:
        return self._hurry or self._closed or len(self._news) >= _MOST
