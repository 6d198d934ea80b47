"""What Cloud Monitoring counts for each subscription: what waits, since when, what was given up."""

from collections.abc import Mapping
from typing import NamedTuple

from worker.local.pubsub.state import State


class Waiting(NamedTuple):
    """The messages of a subscription that are not acknowledged."""

    messages: int
    oldest: float  # seconds since the epoch, when that was published; 0.0 without any


class Measures(State):
    """The answers are those of one moment. Subscriptions are named in full."""

    def backlog(self) -> Mapping[str, int]:
        """How many messages are not acknowledged, for each subscription."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name, (SELECT count(*) FROM states"
                " WHERE subscription = subscriptions.id AND acked = 0) FROM subscriptions"
                " ORDER BY name"
            ).fetchall()
        return dict(map(tuple, rows))

    def waiting(self) -> Mapping[str, Waiting]:
        """What waits, for each subscription."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT name, count(m.id), coalesce(min(m.published), 0.0) FROM subscriptions"
                " LEFT JOIN states AS s ON s.subscription = subscriptions.id AND s.acked = 0"
                " LEFT JOIN messages AS m ON m.id = s.message GROUP BY name"
            ).fetchall()
        return {row[0]: Waiting(row[1], row[2]) for row in rows}

    def dead_lettered(self, since: float, until: float) -> list[tuple[str, float]]:
        """The subscription, and when, of each message that was forwarded between two times."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT subscription, forwarded FROM dead_letters"
                " WHERE forwarded >= ? AND forwarded < ?",
                (since, until),
            )
            return [(row[0], row[1]) for row in rows]
