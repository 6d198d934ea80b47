"""A SQLite file: one writer at a time, readers beside it, everything committed survives a kill."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, LifoQueue

_SETTINGS = (
    "journal_mode = WAL",
    "synchronous = OFF",  # a commit survives the end of this process, not that of the machine
    "foreign_keys = ON",
)


class StateUnusable(Exception):
    """The folder of the state cannot be used. One line: why, and what to do."""


class Database:
    """`write` and `read` hand out connections. Safe to share by threads.

    Raises StateUnusable for a file that cannot be opened or that another version wrote: the schema
    is compared, and nothing is migrated, because all of it can be had again.
    """

    def __init__(self, path: Path, schema: str) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._readers: LifoQueue[sqlite3.Connection] = LifoQueue()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = self._connect()
            try:
                self._make(schema)
            except sqlite3.Error:
                self._writer.close()
                raise
        except (OSError, sqlite3.Error) as error:
            raise StateUnusable(f"{path} cannot be used: {error} (--reset begins anew)") from None

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction: committed at the end of the block, undone if that is an exception."""
        with self._lock:
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
            except BaseException:
                self._writer.execute("ROLLBACK")
                raise
            self._writer.execute("COMMIT")

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """What was committed before the block began, unchanged until it ends."""
        try:
            connection = self._readers.get_nowait()
        except Empty:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("ROLLBACK")
            self._readers.put(connection)

    def close(self) -> None:
        """Close what is open. Nothing may be under way."""
        with self._lock:
            self._writer.close()
        with suppress(Empty):
            while True:
                self._readers.get_nowait().close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=30.0, isolation_level=None, check_same_thread=False
        )
        connection.row_factory = sqlite3.Row
        try:
            for setting in _SETTINGS:
                connection.execute(f"PRAGMA {setting}")
        except sqlite3.Error:
            connection.close()
            raise
        return connection

    def _make(self, schema: str) -> None:
        """Make the tables, unless they are there as `schema` would make them."""
        (there,) = self._writer.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if not there:
            self._writer.executescript(f"BEGIN; {schema}; COMMIT")
            return
        with sqlite3.connect(":memory:") as wanted:
            wanted.executescript(schema)
            same = _tables(wanted) == _tables(self._writer)
        wanted.close()
        if not same:
            raise sqlite3.DatabaseError("another version of this program made it")


def _tables(connection: sqlite3.Connection) -> set[tuple[str, ...]]:
    return {tuple(row) for row in connection.execute("SELECT name, sql FROM sqlite_master")}
