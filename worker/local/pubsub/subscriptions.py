"""The Subscriber service, its subscriptions: made, read, changed, deleted, detached."""

import sqlite3
from typing import Any

from worker.local.pubsub import protos
from worker.local.pubsub.backlog import forget
from worker.local.pubsub.masks import merge
from worker.local.pubsub.names import already_exists, check_name, check_project, not_found
from worker.local.pubsub.pages import page, prefix
from worker.local.pubsub.schema import Transaction
from worker.local.pubsub.settings import complete_subscription
from worker.local.pubsub.state import State

_MUTABLE = (
    "ack_deadline_seconds",
    "push_config",
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "retain_acked_messages",
    "message_retention_duration",
    "labels",
    "expiration_policy",
    "dead_letter_policy",
    "retry_policy",
    "enable_exactly_once_delivery",
    "message_transforms",
)
_OUTPUT_ONLY = (
    "detached",
    "topic_message_retention_duration",
    "state",
    "analytics_hub_subscription_info",
)
_SELECT = (
    "SELECT name, topic, body,"
    " (SELECT topics.body FROM topics WHERE topics.name = topic) AS topic_body FROM subscriptions"
)


class SubscriptionCalls(State):
    """Each takes and returns a protobuf message of the call's name. Raises ApiError."""

    def create_subscription(self, request: Any) -> Any:
        """The subscription; it gets what is published from now on."""
        check_name(request.name, "subscriptions")
        check_name(request.topic, "topics")
        subscription = protos.Subscription()
        subscription.CopyFrom(request)
        for field in _OUTPUT_ONLY:
            subscription.ClearField(field)
        complete_subscription(subscription)
        with self._change() as tx:
            if _find(tx.connection, request.name) is not None:
                raise already_exists(request.name)
            _check_topics(tx, subscription)
            tx.connection.execute(
                "INSERT INTO subscriptions (name, topic, body) VALUES (?, ?, ?)",
                (request.name, request.topic, _body(subscription)),
            )
        self._tell()
        return self._get(request.name)

    def get_subscription(self, request: Any) -> Any:
        """The subscription."""
        return self._get(request.subscription)

    def list_subscriptions(self, request: Any) -> Any:
        """The subscriptions of a project."""
        bounds = prefix(check_project(request.project), "subscriptions")
        select = f"{_SELECT} WHERE name > :first AND name < :last"
        with self._database.read() as connection:
            rows, token = page(connection, select, bounds, request)
        subscriptions = [_read(row) for row in rows]
        return protos.ListSubscriptionsResponse(subscriptions=subscriptions, next_page_token=token)

    def update_subscription(self, request: Any) -> Any:
        """The subscription with the fields changed that the mask names."""
        name = request.subscription.name
        with self._change() as tx:
            subscription = _stored(tx, name)
            merge(request, "subscription", subscription, _MUTABLE)
            complete_subscription(subscription)
            _check_topics(tx, subscription, only_dead_letter=True)
            _store(tx, subscription)
        self._tell()
        return self._get(name)

    def modify_push_config(self, request: Any) -> Any:
        """Push to another endpoint; without one, wait to be pulled."""
        with self._change() as tx:
            subscription = _stored(tx, request.subscription)
            subscription.push_config.CopyFrom(request.push_config)
            complete_subscription(subscription)
            _store(tx, subscription)
        self._tell()
        return protos.Empty()

    def delete_subscription(self, request: Any) -> Any:
        """With everything that it has not delivered."""
        with self._change() as tx:
            _stored(tx, request.subscription)
            tx.connection.execute(
                "DELETE FROM subscriptions WHERE name = ?", (request.subscription,)
            )
            tx.connection.execute(
                "DELETE FROM policies WHERE resource = ?", (request.subscription,)
            )
            forget(tx)
        self._tell()
        return protos.Empty()

    def detach_subscription(self, request: Any) -> Any:
        """It stays to be looked at, delivers nothing more, and what it had is dropped."""
        with self._change() as tx:
            subscription = _stored(tx, request.subscription)
            subscription.detached = True
            _store(tx, subscription)
            tx.connection.execute(
                "DELETE FROM states WHERE subscription ="
                " (SELECT id FROM subscriptions WHERE name = ?)",
                (request.subscription,),
            )
            forget(tx)
        self._tell()
        return protos.DetachSubscriptionResponse()

    def _get(self, name: str) -> Any:
        with self._database.read() as connection:
            row = _find(connection, name)
        if row is None:
            raise not_found(name)
        return _read(row)


def _find(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(f"{_SELECT} WHERE name = ?", (name,)).fetchone()
    return found


def _read(row: sqlite3.Row) -> Any:
    """The subscription as a caller sees it."""
    subscription = protos.Subscription.FromString(row["body"])
    subscription.topic = row["topic"]
    subscription.state = protos.Subscription.State.Value("ACTIVE")
    topic = protos.Topic.FromString(row["topic_body"] or b"")
    if topic.HasField("message_retention_duration"):
        retention = topic.message_retention_duration
        subscription.topic_message_retention_duration.CopyFrom(retention)
    return subscription


def _stored(tx: Transaction, name: str) -> Any:
    row = _find(tx.connection, name)
    if row is None:
        raise not_found(name)
    return protos.Subscription.FromString(row["body"])


def _store(tx: Transaction, subscription: Any) -> None:
    tx.connection.execute(
        "UPDATE subscriptions SET body = ? WHERE name = ?", (_body(subscription), subscription.name)
    )
    if not subscription.retain_acked_messages:
        tx.connection.execute(
            "DELETE FROM states WHERE acked = 1 AND subscription ="
            " (SELECT id FROM subscriptions WHERE name = ?)",
            (subscription.name,),
        )
        forget(tx)


def _body(subscription: Any) -> bytes:
    body: bytes = subscription.SerializeToString(deterministic=True)
    return body


def _check_topics(tx: Transaction, subscription: Any, *, only_dead_letter: bool = False) -> None:
    wanted = [] if only_dead_letter else [subscription.topic]
    if subscription.HasField("dead_letter_policy"):
        wanted.append(subscription.dead_letter_policy.dead_letter_topic)
    for topic in wanted:
        if not tx.connection.execute("SELECT 1 FROM topics WHERE name = ?", (topic,)).fetchone():
            raise not_found(topic)
