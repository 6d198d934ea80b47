"""What all calls share: the database, the clock, and who waits for a change."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from worker.local.clock import Clock
from worker.local.database import Database
from worker.local.pubsub.ids import Ids
from worker.local.pubsub.schema import SCHEMA, Transaction
from worker.local.pubsub.upkeep import sweep

_MOMENT_SECONDS = 1.0  # of the clock's time, that may be missing in the record of it
_SWEEP_SECONDS = 300.0  # of the machine's time


class State:
    """The state of Pub/Sub in `folder`, by the time of `clock`. Safe to share by threads.

    `changed` is notified whenever something may be delivered that could not be before.
    Raises StateUnusable.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.clock = clock
        self.changed = threading.Condition()
        self.closed = False
        self._database = Database(folder / "pubsub.sqlite3", SCHEMA)
        self._moment = 0.0
        self._sweep_time = 0.0
        with self._database.write() as connection:
            self._resume(Transaction(connection, clock.now(), Ids()))
            row = connection.execute(
                "SELECT seq FROM sqlite_sequence WHERE name = 'messages'"
            ).fetchone()
        self._ids = Ids(row["seq"] if row else 0)

    def let_go(self) -> None:
        """End the calls that wait for messages, before the servers are stopped."""
        self.closed = True
        self._tell()

    def close(self) -> None:
        """Close the database. No call may be under way, and none may come after it."""
        self.let_go()
        self._database.close()

    @contextmanager
    def _change(self) -> Iterator[Transaction]:
        """A transaction: all of it is kept, or nothing if the block ends with an exception."""
        with self._database.write() as connection:
            tx = Transaction(connection, self.clock.now(), self._ids)
            yield tx
            self._keep_up(tx)

    def _keep_up(self, tx: Transaction) -> None:
        if tx.now > self._moment + _MOMENT_SECONDS:
            tx.connection.execute("UPDATE moments SET latest = ?", (tx.now,))
            self._moment = tx.now
        if time.monotonic() > self._sweep_time:
            sweep(tx)
            self._sweep_time = time.monotonic() + _SWEEP_SECONDS

    def _tell(self) -> None:
        with self.changed:
            self.changed.notify_all()

    def _resume(self, tx: Transaction) -> None:
        """Go on after a restart.

        The clock may have been moved forward the last time, and it starts with the machine's
        time again: leases and backoffs last as long as they would have.
        """
        (latest,) = tx.connection.execute("SELECT latest FROM moments").fetchone()
        if (ahead := latest - tx.now) > 0:
            tx.connection.execute("UPDATE states SET due = due - ?", (ahead,))
            tx.connection.execute("UPDATE snapshots SET expires = expires - ?", (ahead,))
            tx.connection.execute("UPDATE dead_letters SET forwarded = forwarded - ?", (ahead,))
            tx.connection.execute("UPDATE moments SET latest = ?", (tx.now,))
