"""The log store: entries in SQLite, found by queries of the Logging query language."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from worker.local.database import Database
from worker.local.logs import figures
from worker.local.logs.buffer import Buffer
from worker.local.logs.cursor import Cursor
from worker.local.logs.entries import InsertIds, Ready, ready
from worker.local.logs.figures import Facets, Histogram
from worker.local.logs.schema import SCHEMA
from worker.local.logs.searching import of_parents, plan, seen
from worker.local.logs.sinks import Sinks
from worker.local.logs.tails import Tail, Tails
from worker.local.logs.times import DAY, SECOND
from worker.local.logs.writing import insert, prune, remove
from worker.local.lql import Query

_STEP = 2_000  # entries removed in one transaction


@dataclass(frozen=True)
class Retention:
    """How long entries are kept, and how many."""

    days: int = 30  # that of Cloud Logging's _Default bucket
    entries: int = 2_000_000


class Found(NamedTuple):
    """Entries in order, and where to go on: "" at the end.

    There may be a `next` although fewer entries than the limit were found, or none: the time for
    one search was over. Cloud Logging does the same.
    """

    entries: list[dict[str, Any]]
    next: str


class Logs:
    """Entries of all logs, in folder/logs.sqlite3. Safe to share by threads.

    Raises StateUnusable. Whatever was handed over before a call, its answer reflects.
    """

    def __init__(
        self,
        folder: Path,
        project: str,
        *,
        now: Callable[[], float] = time.time,
        retention: Retention | None = None,
    ) -> None:
        self.project = project
        self._now = now
        self._retention = retention or Retention()
        self._database = Database(folder / "logs.sqlite3", SCHEMA)
        self.sinks = Sinks(self._database, project)  # what they exclude is not stored
        self._ids = InsertIds(self.now)
        self._tails = Tails()
        self._buffer = Buffer(self._store)

    def now(self) -> int:
        """Nanoseconds since the epoch."""
        return int(self._now() * SECOND)

    def write(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Add complete LogEntry objects (REST form) in one transaction.

        insertId, timestamp and receiveTimestamp are filled in where they are missing. Raises
        ValueError for an entry that cannot be stored, and then stores none.
        """
        now = self.now()
        batch = [ready(entry, self._ids, now) for entry in entries]
        self._buffer.flush()
        self._store([one for one in batch if self.sinks.keeps(one.entry)])

    def write_soon(self, entry: Mapping[str, Any]) -> None:
        """Add one entry, together with others; searches find it at once. Raises ValueError."""
        one = ready(entry, self._ids, self.now())
        if self.sinks.keeps(one.entry):
            self._buffer.add(one)

    def search(  # noqa: PLR0913 - a page of a list: what, how many, which way, from where
        self,
        query: Query,
        *,
        limit: int,
        newest_first: bool = True,
        after: str = "",
        parents: Sequence[str] = (),
        seconds: float = 5.0,
    ) -> Found:
        """Up to `limit` entries that match, of the `parents` (such as projects/demo) or of all.

        `after` is the `next` of the page before; raises ValueError if it is none. Entries that
        arrive between two pages are found if their place is behind the first; none comes twice.
        `seconds` bounds the time that entries are looked at one by one.
        """
        self._buffer.flush()
        until = time.monotonic() + seconds
        entries: list[dict[str, Any]] = []
        start = Cursor.parse(after) if after else None
        with self._database.read() as connection:
            others = [of_parents(connection, parents)] if parents else []
            way = plan(connection, query, others, newest_first=newest_first)
            # Closed before the connection is handed back: an open cursor would keep others from
            # seeing what is written from now on.
            with closing(seen(connection, way, query, start)) as found:
                for cursor, entry in found:
                    if entry is not None:
                        entries.append(entry)
                    if len(entries) >= limit or time.monotonic() > until:
                        return Found(entries, str(cursor))
        return Found(entries, "")

    def names(self) -> list[str]:
        """The full names of all logs that hold entries, sorted."""
        self._buffer.flush()
        with self._database.read() as connection:
            rows = connection.execute("SELECT name FROM log WHERE entries > 0 ORDER BY name")
            return [row["name"] for row in rows]

    def delete(self, log_name: str) -> int:
        """Remove the entries of a log; those that arrive meanwhile stay. Returns how many."""
        self._buffer.flush()
        with self._database.read() as connection:
            (last,) = connection.execute("SELECT max(id) FROM entry").fetchone()
        sql = (
            "SELECT id, log, body FROM entry NOT INDEXED WHERE id > ? AND id <= ?"
            " AND log = (SELECT id FROM log WHERE name = ?) ORDER BY id LIMIT ?"
        )
        removed, first = 0, 0
        while True:
            with self._database.write() as connection:
                rows = connection.execute(sql, (first, last, log_name, _STEP)).fetchall()
                removed += remove(connection, rows)
            if len(rows) < _STEP:
                return removed
            first = rows[-1]["id"]

    def count_up(self, name: str) -> int:
        """The next number of a series that survives restarts: 1, 2, ..."""
        sql = (
            "INSERT INTO number VALUES (?, 1)"
            " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value"
        )
        with self._database.write() as connection:
            return int(connection.execute(sql, (name,)).fetchone()["value"])

    def listen(self) -> AbstractContextManager[Tail]:
        """The entries as they are written, in a queue; who is too slow for it misses some."""
        return self._tails.listen()

    def histogram(self, query: Query, since: float, until: float, buckets: int) -> Histogram:
        """How many entries match, by time and severity. Times are seconds since the epoch."""
        self._buffer.flush()
        with self._database.read() as connection:
            return figures.histogram(connection, query, (since, until), buckets)

    def facets(self, query: Query) -> Facets:
        """The values of the fields that one filters by, and how many matching entries have each."""
        self._buffer.flush()
        with self._database.read() as connection:
            return figures.facets(connection, query)

    def close(self) -> None:
        """Write what is held and close the file."""
        try:
            self._buffer.close()
        finally:
            self._database.close()

    def _store(self, batch: Sequence[Ready]) -> None:
        """One transaction; as it grows by a batch, twice as many old entries may leave."""
        oldest = self.now() - self._retention.days * DAY
        kept = [one for one in batch if one.time >= oldest]
        with self._database.write() as connection:
            new = insert(connection, kept)
            most, step = self._retention.entries, min(2 * len(batch) + 10, _STEP)
            prune(connection, before=oldest, most=most, step=step)
        self._tails.offer([one.entry for one in new])
