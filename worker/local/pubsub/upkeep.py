"""What time does to a backlog: leases end, messages are kept for so long and no longer."""

from worker.local.pubsub.backlog import forget
from worker.local.pubsub.failing import Failed, fail
from worker.local.pubsub.rules import Rules, rules_by_id, rules_of
from worker.local.pubsub.schema import Transaction

_COUNTED = 7 * 86_400.0  # seconds that a dead letter is counted: longer than anybody asks for


def lapse(tx: Transaction) -> bool:
    """Count the leases that have ended as failures. True if there were any."""
    rows = tx.connection.execute(
        "SELECT subscription, message, ordering_key, failures, due FROM states"
        " WHERE subscription IN (SELECT id FROM subscriptions) AND lease IS NOT NULL AND due <= ?",
        (tx.now,),
    ).fetchall()
    for row in rows:
        rules = rules_by_id(tx.connection, row["subscription"])
        failed = Failed(row["message"], row["ordering_key"], row["failures"] + 1, row["due"])
        fail(tx, rules, failed)
    return bool(rows)


def retire(tx: Transaction, rules: Rules, *, thoroughly: bool = False) -> None:
    """Drop what is older than the subscription keeps its messages, acknowledged or not.

    Whether there is anything to drop is seen from the oldest message, unless done `thoroughly`:
    after a restart the clock may show an earlier time, and a later message an earlier one.
    """
    limit = tx.now - rules.retention
    oldest = tx.connection.execute(
        "SELECT published FROM states JOIN messages ON id = message"
        " WHERE subscription = ? ORDER BY message LIMIT 1",
        (rules.id,),
    ).fetchone()
    if oldest is None or (oldest["published"] > limit and not thoroughly):
        return
    rows = tx.connection.execute(
        "DELETE FROM states WHERE subscription = ? AND message IN"
        " (SELECT id FROM messages WHERE topic = ? AND published <= ?) RETURNING message",
        (rules.id, rules.topic, limit),
    ).fetchall()
    line_up(tx, rules)
    forget(tx, [row["message"] for row in rows])


def line_up(tx: Transaction, rules: Rules) -> None:
    """Find the head of each ordering key anew."""
    if rules.ordered:
        tx.connection.execute(
            "UPDATE states SET head = (message ="
            " (SELECT min(message) FROM states AS same INDEXED BY keys"
            " WHERE same.subscription = :id AND same.ordering_key = states.ordering_key"
            " AND same.acked = 0))"
            " WHERE subscription = :id AND ordering_key IS NOT NULL AND acked = 0",
            {"id": rules.id},
        )


def sweep(tx: Transaction) -> None:
    """Delete whatever time has made useless: it may look at every message."""
    tx.connection.execute("DELETE FROM snapshots WHERE expires <= ?", (tx.now,))
    tx.connection.execute("DELETE FROM dead_letters WHERE forwarded <= ?", (tx.now - _COUNTED,))
    for row in tx.connection.execute("SELECT name FROM subscriptions").fetchall():
        if (rules := rules_of(tx.connection, row["name"])) is not None:
            retire(tx, rules, thoroughly=True)
    forget(tx)
