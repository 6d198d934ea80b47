"""Seek: a subscription's backlog is made what it was at a time or in a snapshot."""

import json
from dataclasses import dataclass
from typing import Any

from worker.local.pubsub.backlog import enter, forget
from worker.local.pubsub.rules import Rules
from worker.local.pubsub.schema import Transaction
from worker.local.pubsub.upkeep import line_up


@dataclass(frozen=True, slots=True)
class Goal:
    """Which messages are to be delivered: two conditions on a row of `messages`."""

    wanted: str
    # Which may be delivered that the subscription has not: it acknowledged them, or is younger.
    retained: str
    values: dict[str, Any]


def time_goal(seconds: float) -> Goal:
    """What was published at this time or later, as far as the topic retains it."""
    retained = (
        "EXISTS (SELECT 1 FROM topics WHERE name = messages.topic"
        " AND messages.published + topics.retention > :now)"
    )
    return Goal("published >= :time", retained, {"time": seconds})


def snapshot_goal(name: str, after: int) -> Goal:
    """What was not acknowledged when the snapshot was made, and what was published later."""
    wanted = (
        "(id > :after OR id IN (SELECT message FROM snapshot_messages WHERE snapshot = :snapshot))"
    )
    return Goal(wanted, "1", {"after": after, "snapshot": name})


def seek(tx: Transaction, rules: Rules, goal: Goal) -> None:
    """Acknowledge what is not wanted, and deliver again what is.

    What is in a backlog already stays as it is: leased, or waiting for its backoff. Ack ids from
    before the seek do not count for what is delivered again.
    """
    fence = tx.ids.next()
    values = {
        **goal.values,
        "subscription": rules.id,
        "topic": rules.topic,
        "now": tx.now,
        "fence": fence,
    }
    drop = (
        "UPDATE states SET acked = 1, lease = NULL" if rules.retain_acked else "DELETE FROM states"
    )
    of_subscription = "WHERE subscription = :subscription"
    tx.connection.execute(
        f"{drop} {of_subscription} AND acked = 0 AND message IN"  # noqa: S608 - constants
        f" (SELECT id FROM messages WHERE topic = :topic AND NOT {goal.wanted})",
        values,
    )
    tx.connection.execute(
        "UPDATE states SET acked = 0, lease = NULL, failures = 0, due = :now, fence = :fence"  # noqa: S608 - constants
        f" {of_subscription} AND acked = 1 AND message IN"
        f" (SELECT id FROM messages WHERE topic = :topic AND {goal.wanted})",
        values,
    )
    rows = tx.connection.execute(
        "SELECT id, ordering_key, attributes FROM messages"  # noqa: S608 - constants
        f" WHERE topic = :topic AND {goal.wanted} AND {goal.retained}"
        f" AND NOT EXISTS (SELECT 1 FROM states {of_subscription} AND message = messages.id)"
        " ORDER BY id",
        values,
    ).fetchall()
    again = [row for row in rows if rules.wants(json.loads(row["attributes"]))]
    enter(tx, rules, [(row["id"], row["ordering_key"]) for row in again], fence)
    line_up(tx, rules)
    forget(tx)
