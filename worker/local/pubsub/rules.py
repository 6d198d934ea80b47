"""What a subscription's settings mean for the delivery of its messages."""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from worker.local.pubsub.conditions import Filter
from worker.local.pubsub.filter import parse
from worker.local.pubsub.protos import Subscription, seconds_of


@dataclass(frozen=True, slots=True)
class Rules:
    """Durations are seconds."""

    id: int
    name: str
    topic: str
    filter: Filter | None
    ordered: bool
    exactly_once: bool
    detached: bool
    retention: float  # the longer one of the subscription's and its topic's
    retain_acked: bool
    backoff: tuple[float, float] | None  # least and most; None: redelivered at once
    dead_letter_topic: str  # "" without a dead-letter policy
    most_attempts: int

    def wants(self, attributes: Mapping[str, str]) -> bool:
        """A message that it does not want counts as acknowledged."""
        return self.filter is None or self.filter.matches(attributes)

    def backoff_seconds(self, failures: int) -> float:
        """How long a message waits that failed so many times.

        The documentation says "exponential backoff" between two bounds: twice as long each time.
        """
        if self.backoff is None:
            return 0.0
        least, most = self.backoff
        doublings = min(failures - 1, 60)  # no duration is that long
        return min(most, least * 2.0**doublings)


_SELECT = (
    "SELECT id, topic, body,"
    " coalesce((SELECT retention FROM topics WHERE name = topic), 0) FROM subscriptions"
)


def rules_of(connection: sqlite3.Connection, name: str) -> Rules | None:
    """The rules of a subscription, None if there is none of this name."""
    row = connection.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
    return None if row is None else _rules(*row)


def rules_by_id(connection: sqlite3.Connection, number: int) -> Rules:
    """The rules of a subscription that is there."""
    row = connection.execute(f"{_SELECT} WHERE id = ?", (number,)).fetchone()
    return _rules(*row)


def rules_of_topic(connection: sqlite3.Connection, topic: str) -> list[Rules]:
    """The rules of the subscriptions that get what is published to this topic."""
    rows = connection.execute(f"{_SELECT} WHERE topic = ?", (topic,))
    return [rules for row in rows if not (rules := _rules(*row)).detached]


@lru_cache(maxsize=1024)
def _rules(number: int, topic: str, body: bytes, topic_retention: float) -> Rules:
    settings = Subscription.FromString(body)
    retry = settings.retry_policy
    return Rules(
        id=number,
        name=settings.name,
        topic=topic,
        filter=parse(settings.filter) if settings.filter else None,
        ordered=settings.enable_message_ordering,
        exactly_once=settings.enable_exactly_once_delivery,
        detached=settings.detached,
        retention=max(seconds_of(settings.message_retention_duration), topic_retention),
        retain_acked=settings.retain_acked_messages,
        backoff=(seconds_of(retry.minimum_backoff), seconds_of(retry.maximum_backoff))
        if settings.HasField("retry_policy")
        else None,
        dead_letter_topic=settings.dead_letter_policy.dead_letter_topic,
        most_attempts=settings.dead_letter_policy.max_delivery_attempts,
    )
