"""What becomes of a message in its subscriptions: published, handed out, acknowledged.

Everything here runs within a transaction and leaves the state whole. Of the messages of one
ordering key only the first that is not acknowledged is the `head`; the others wait for it.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence

from worker.local.pubsub.ids import AckId
from worker.local.pubsub.leases import Leased
from worker.local.pubsub.limits import LARGEST_BYTES
from worker.local.pubsub.rules import Rules, rules_of_topic
from worker.local.pubsub.schema import Transaction
from worker.message import PubsubMessage

_MILLISECONDS = 1000
# Nobody can need the message any more: no subscription, no topic that retains, no snapshot.
_UNNEEDED = """
    NOT EXISTS (SELECT 1 FROM states WHERE message = messages.id)
    AND NOT EXISTS (SELECT 1 FROM topics
                    WHERE name = messages.topic AND messages.published + retention > :now)
    AND NOT EXISTS (SELECT 1 FROM snapshots WHERE topic = messages.topic)
"""


def publish(tx: Transaction, topic: str, messages: Sequence[PubsubMessage]) -> list[str]:
    """Give the messages to the subscriptions of a topic that is there; their ids in order."""
    published = math.floor(tx.now * _MILLISECONDS) / _MILLISECONDS  # as the service rounds it
    ids = [tx.ids.next() for _ in messages]
    tx.connection.executemany(
        "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?)",
        [
            (number, topic, published, one.ordering_key, json.dumps(dict(one.attributes)), one.data)
            for number, one in zip(ids, messages, strict=True)
        ],
    )
    wanted = False
    for rules in rules_of_topic(tx.connection, topic):
        rows = [
            (number, one.ordering_key)
            for number, one in zip(ids, messages, strict=True)
            if rules.wants(one.attributes)
        ]
        enter(tx, rules, rows)
        wanted = wanted or len(rows) == len(messages)
    if not wanted:
        forget(tx, ids)
    return [str(number) for number in ids]


def enter(tx: Transaction, rules: Rules, rows: Iterable[tuple[int, str]], fence: int = 0) -> None:
    """Put (message id, ordering key) into the backlog of a subscription."""
    tx.connection.executemany(
        "INSERT INTO states SELECT :subscription, :message, :key,"
        " :key IS NULL OR NOT EXISTS (SELECT 1 FROM states INDEXED BY keys"
        " WHERE subscription = :subscription"
        " AND ordering_key = :key AND acked = 0),"
        " :due, NULL, 0, :fence, 0",
        [
            {
                "subscription": rules.id,
                "message": message,
                "key": (key or None) if rules.ordered else None,
                "due": tx.now,
                "fence": fence,
            }
            for message, key in rows
        ],
    )


def take(tx: Transaction, rules: Rules, most: int, seconds: float) -> list[Leased]:
    """Lease what is due, the longest due first: `most` messages, or about 10 MB of data."""
    rows = []
    size = 0
    for row in tx.connection.execute(
        "SELECT s.message, s.failures, m.topic, m.published, m.ordering_key, m.attributes, m.data"
        " FROM states AS s CROSS JOIN messages AS m ON m.id = s.message"
        " WHERE s.subscription = ? AND s.lease IS NULL AND s.acked = 0 AND s.head = 1"
        " AND s.due <= ? AND m.published > ? ORDER BY s.due LIMIT ?",
        (rules.id, tx.now, tx.now - rules.retention, most),
    ):
        rows.append(row)
        size += len(row["data"])
        if size >= LARGEST_BYTES:
            break
    leases = [tx.ids.next() for _ in rows]
    tx.connection.executemany(
        "UPDATE states SET lease = ?, due = ? WHERE subscription = ? AND message = ?",
        [
            (lease, tx.now + seconds, rules.id, row["message"])
            for row, lease in zip(rows, leases, strict=True)
        ],
    )
    return [
        Leased(
            ack_id=str(AckId(rules.id, row["message"], lease)),
            message_id=str(row["message"]),
            data=row["data"],
            attributes=attributes_of(row["attributes"]),
            ordering_key=row["ordering_key"],
            publish_time=row["published"],
            attempt=1 + row["failures"],
            topic=row["topic"],
        )
        for row, lease in zip(rows, leases, strict=True)
    ]


def acknowledge(tx: Transaction, rules: Rules, ack_id: AckId) -> bool:
    """The message is done with. False if the lease has ended and the subscription minds.

    It minds with exactly-once delivery only; an ack that comes late counts otherwise.
    """
    row = tx.connection.execute(
        "SELECT ordering_key, lease, fence FROM states"
        " WHERE subscription = ? AND message = ? AND acked = 0",
        (ack_id.subscription, ack_id.message),
    ).fetchone()
    if row is None or ack_id.subscription != rules.id or ack_id.lease <= row["fence"]:
        return not rules.exactly_once
    if rules.exactly_once and row["lease"] != ack_id.lease:
        return False
    settle(tx, rules, ack_id.message, row["ordering_key"])
    return True


def settle(tx: Transaction, rules: Rules, message: int, ordering_key: str | None) -> None:
    """Take a message out of the backlog; the next of its ordering key may go."""
    sql = "DELETE FROM states WHERE subscription = ? AND message = ?"
    if rules.retain_acked:
        sql = "UPDATE states SET acked = 1, lease = NULL WHERE subscription = ? AND message = ?"
    tx.connection.execute(sql, (rules.id, message))
    if ordering_key is not None:
        tx.connection.execute(
            "UPDATE states SET head = 1 WHERE subscription = :id AND message ="
            " (SELECT min(message) FROM states INDEXED BY keys"
            " WHERE subscription = :id AND ordering_key = :key AND acked = 0)",
            {"id": rules.id, "key": ordering_key},
        )
    if not rules.retain_acked:
        forget(tx, [message])


def forget(tx: Transaction, messages: Iterable[int] | None = None) -> None:
    """Delete those of the messages, of all without any, that nobody can need any more."""
    if messages is None:
        tx.connection.execute(f"DELETE FROM messages WHERE {_UNNEEDED}", {"now": tx.now})  # noqa: S608 - a constant
        return
    tx.connection.executemany(
        f"DELETE FROM messages WHERE id = :id AND {_UNNEEDED}",  # noqa: S608 - a constant
        [{"id": number, "now": tx.now} for number in messages],
    )


def attributes_of(text: str) -> Mapping[str, str]:
    """The attributes as the table has them."""
    found: Mapping[str, str] = json.loads(text)
    return found
