"""What becomes of a message that was handed out and not acknowledged."""

from dataclasses import dataclass

from worker.local.pubsub.backlog import attributes_of, publish, settle
from worker.local.pubsub.protos import timestamp
from worker.local.pubsub.rules import Rules
from worker.local.pubsub.schema import Transaction
from worker.message import PubsubMessage


@dataclass(frozen=True, slots=True)
class Failed:
    """A lease that was not followed by an acknowledgement."""

    message: int
    ordering_key: str | None
    failures: int  # this one included
    at: float  # seconds since the epoch


def fail(tx: Transaction, rules: Rules, failed: Failed) -> None:
    """Deliver it again after its backoff, or pass it on to the dead-letter topic.

    Where that topic is gone the message stays: nothing is lost.
    """
    if 0 < rules.most_attempts <= failed.failures and _has_topic(tx, rules.dead_letter_topic):
        publish(tx, rules.dead_letter_topic, [_dead_letter(tx, rules, failed)])
        settle(tx, rules, failed.message, failed.ordering_key)
        tx.connection.execute("INSERT INTO dead_letters VALUES (?, ?)", (rules.name, tx.now))
        return
    tx.connection.execute(
        "UPDATE states SET lease = NULL, failures = ?, due = ?"
        " WHERE subscription = ? AND message = ?",
        (
            failed.failures,
            failed.at + rules.backoff_seconds(failed.failures),
            rules.id,
            failed.message,
        ),
    )


def _has_topic(tx: Transaction, name: str) -> bool:
    found = tx.connection.execute("SELECT 1 FROM topics WHERE name = ?", (name,))
    return found.fetchone() is not None


def _dead_letter(tx: Transaction, rules: Rules, failed: Failed) -> PubsubMessage:
    """The message as it is forwarded, with the four attributes that say where it was."""
    row = tx.connection.execute(
        "SELECT published, ordering_key, attributes, data FROM messages WHERE id = ?",
        (failed.message,),
    ).fetchone()
    _, project, _, subscription = rules.name.split("/")
    source = {
        "CloudPubSubDeadLetterSourceDeliveryCount": str(failed.failures),
        "CloudPubSubDeadLetterSourceSubscription": subscription,
        "CloudPubSubDeadLetterSourceSubscriptionProject": project,
        "CloudPubSubDeadLetterSourceTopicPublishTime": timestamp(row["published"]).ToJsonString(),
    }
    attributes = {**attributes_of(row["attributes"]), **source}
    return PubsubMessage(row["data"], attributes, row["ordering_key"])
