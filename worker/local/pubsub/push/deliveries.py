"""What was pushed, and what came of it: kept in SQLite for the page."""

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from itertools import count
from pathlib import Path
from queue import Empty, Full, Queue

from worker.local.database import Database
from worker.local.pubsub.leases import Leased
from worker.local.pubsub.push import rows
from worker.local.pubsub.push.records import DATA_KEPT, Attempt, Delivery, TimelineBucket
from worker.local.pubsub.push.timeline import timeline
from worker.local.pubsub.push.writer import Writer

__all__ = ["Attempt", "Deliveries", "Delivery", "TimelineBucket"]

_UNREAD = 10_000  # news that a listener may be behind before it misses the oldest


class Deliveries:
    """One Delivery for each message and subscription, with its Attempts. Safe to share.

    What was told is written soon, from a thread; every question is answered with all of it, or
    raises StateUnusable if something could not be written.
    """

    def __init__(self, folder: Path) -> None:
        self._database = Database(folder / "deliveries.sqlite3", rows.SCHEMA)
        with self._database.write() as connection:
            rows.end_pending(connection)
            newest = "SELECT (SELECT max(id) FROM delivery), (SELECT max(id) FROM attempt)"
            delivery, attempt = connection.execute(newest).fetchone()
            known = connection.execute(
                "SELECT subscription, message_id, id FROM delivery ORDER BY id"
            )
            # All that are kept: to look one up would hold up every other push.
            self._ids = OrderedDict(((row[0], row[1]), row[2]) for row in known)
        self._newest = delivery or 0
        self._attempt_ids = count((attempt or 0) + 1)
        self._listeners: set[Queue[Attempt]] = set()
        self._lock = threading.Lock()
        self._writer: Writer[rows.Message | Attempt] = Writer(self._database, rows.write)

    def begin(self, message: Leased, attempt: Attempt) -> Attempt:
        """A push begins: the attempt with the ids that are given to it."""
        with self._lock:
            delivery_id = self._delivery_id(message, attempt)
            attempt = replace(attempt, id=next(self._attempt_ids), delivery_id=delivery_id)
            self._tell(attempt)
        return attempt

    def end(self, attempt: Attempt) -> None:
        """A push that began has ended."""
        with self._lock:
            self._tell(attempt)

    def recent(
        self, *, limit: int, before: int = 0, text: str = "", outcome: str = ""
    ) -> list[Delivery]:
        """The newest first; `before` is the id of the last one seen.

        `text` is looked for in the data, the attributes, the id and the ordering key.
        """
        statement, parameters = rows.select_recent(limit, before, text, outcome)
        self._writer.flush()
        with self._database.read() as connection:
            return [rows.delivery_of(row) for row in connection.execute(statement, parameters)]

    def get(self, delivery_id: int) -> Delivery | None:
        """By its id."""
        return self._one("SELECT * FROM delivery WHERE id = ?", delivery_id)

    def find(self, subscription: str, message_id: str) -> Delivery | None:
        """By what it delivers."""
        return self._one(
            "SELECT * FROM delivery WHERE subscription = ? AND message_id = ?",
            subscription,
            message_id,
        )

    def attempts(self, delivery_id: int) -> list[Attempt]:
        """The attempts of one delivery, in their order."""
        self._writer.flush()
        with self._database.read() as connection:
            found = connection.execute(rows.SELECT_ATTEMPTS, (delivery_id,))
            return [rows.attempt_of(row) for row in found]

    def data(self, delivery: Delivery) -> bytes | None:
        """The whole data of its message, None where a large one is not kept any more."""
        if delivery.data_size <= DATA_KEPT:
            return delivery.data
        with self._database.read() as connection:
            select = "SELECT data FROM large WHERE delivery_id = ?"
            row = connection.execute(select, (delivery.id,)).fetchone()
        return None if row is None else row["data"]

    @contextmanager
    def listen(self) -> Iterator[Queue[Attempt]]:
        """Attempts as they begin ("pending") and end, while the block runs."""
        news: Queue[Attempt] = Queue(_UNREAD)
        with self._lock:
            self._listeners.add(news)
        try:
            yield news
        finally:
            with self._lock:
                self._listeners.discard(news)

    def timeline(self, since: float, until: float, buckets: int) -> list[TimelineBucket]:
        """The attempts that began between two times (seconds since the epoch), in equal parts."""
        self._writer.flush()
        select = "SELECT started, seconds, ending FROM attempt WHERE started >= ? AND started < ?"
        with self._database.read() as connection:
            found = (tuple(row) for row in connection.execute(select, (since, until)))
            return timeline(found, since, until, buckets)

    def answers(self, since: float, until: float) -> list[rows.Answered]:
        """The attempts that have ended, of those that began between two times."""
        self._writer.flush()
        with self._database.read() as connection:
            found = connection.execute(rows.SELECT_ANSWERS, (since, until))
            return [rows.Answered(*row) for row in found]

    def close(self) -> None:
        """Write what is left, and close. Nothing may be under way."""
        self._writer.close()
        self._database.close()

    def _one(self, statement: str, *parameters: object) -> Delivery | None:
        self._writer.flush()
        with self._database.read() as connection:
            row = connection.execute(statement, parameters).fetchone()
        return None if row is None else rows.delivery_of(row)

    def _delivery_id(self, message: Leased, attempt: Attempt) -> int:
        """The id of the delivery that an attempt belongs to; a new delivery is kept."""
        key = (attempt.subscription, message.message_id)
        found = self._ids.get(key)
        if found is None:
            found = self._ids[key] = self._newest = self._newest + 1
            delivery = _delivery_of(found, message, attempt)
            self._writer.add(rows.Message(delivery, message.data))
        if len(self._ids) > rows.KEPT_DELIVERIES:
            self._ids.popitem(last=False)  # the oldest, whose rows go as well
        return found

    def _tell(self, attempt: Attempt) -> None:
        self._writer.add(attempt)
        for news in self._listeners:
            try:
                news.put_nowait(attempt)
            except Full:
                _drop_oldest(news)
                news.put_nowait(attempt)


def _drop_oldest(news: Queue[Attempt]) -> None:
    with suppress(Empty):  # its reader was quicker
        news.get_nowait()


def _delivery_of(number: int, message: Leased, attempt: Attempt) -> Delivery:
    return Delivery(
        id=number,
        subscription=attempt.subscription,
        message_id=message.message_id,
        topic=message.topic,
        publish_time=message.publish_time,
        data=message.data[:DATA_KEPT],
        data_size=len(message.data),
        attributes=dict(message.attributes),
        ordering_key=message.ordering_key,
        attempts=1,
        outcome="pending",
        last_time=attempt.started,
    )
