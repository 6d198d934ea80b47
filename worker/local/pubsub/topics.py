"""The Publisher service: topics, and what is published to them."""

from typing import Any

from worker.local.pubsub import protos
from worker.local.pubsub.backlog import forget, publish
from worker.local.pubsub.limits import check_messages
from worker.local.pubsub.masks import merge
from worker.local.pubsub.names import (
    DELETED_TOPIC,
    already_exists,
    check_name,
    check_project,
    not_found,
)
from worker.local.pubsub.pages import page, prefix
from worker.local.pubsub.rules import rules_of_topic
from worker.local.pubsub.schema import Transaction
from worker.local.pubsub.settings import check_topic
from worker.local.pubsub.state import State
from worker.message import PubsubMessage

_MUTABLE = (
    "labels",
    "message_storage_policy",
    "kms_key_name",
    "schema_settings",
    "message_retention_duration",
    "ingestion_data_source_settings",
    "message_transforms",
)
_NAMES = "SELECT name FROM {} WHERE topic = :topic"


class TopicCalls(State):
    """Each takes and returns a protobuf message of the call's name. Raises ApiError."""

    def create_topic(self, request: Any) -> Any:
        """The topic; ALREADY_EXISTS if there is one of this name."""
        check_name(request.name, "topics")
        topic = protos.Topic()
        topic.CopyFrom(request)
        topic.ClearField("satisfies_pzs")
        topic.ClearField("state")
        check_topic(topic)
        with self._change() as tx:
            if _has_topic(tx, topic.name):
                raise already_exists(topic.name)
            tx.connection.execute("INSERT INTO topics VALUES (?, ?, ?)", _row(topic))
        return topic

    def get_topic(self, request: Any) -> Any:
        """The topic."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM topics WHERE name = ?", (request.topic,)
            ).fetchone()
        if row is None:
            raise not_found(request.topic)
        return protos.Topic.FromString(row["body"])

    def update_topic(self, request: Any) -> Any:
        """The topic with the fields changed that the mask names."""
        with self._change() as tx:
            row = tx.connection.execute(
                "SELECT body FROM topics WHERE name = ?", (request.topic.name,)
            ).fetchone()
            if row is None:
                raise not_found(request.topic.name)
            topic = protos.Topic.FromString(row["body"])
            merge(request, "topic", topic, _MUTABLE)
            check_topic(topic)
            tx.connection.execute("REPLACE INTO topics VALUES (?, ?, ?)", _row(topic))
        return topic

    def list_topics(self, request: Any) -> Any:
        """The topics of a project."""
        bounds = prefix(check_project(request.project), "topics")
        select = "SELECT name, body FROM topics WHERE name > :first AND name < :last"
        with self._database.read() as connection:
            rows, token = page(connection, select, bounds, request)
        topics = [protos.Topic.FromString(row["body"]) for row in rows]
        return protos.ListTopicsResponse(topics=topics, next_page_token=token)

    def list_topic_subscriptions(self, request: Any) -> Any:
        """The names of the subscriptions that are attached to a topic."""
        names, token = self._names("subscriptions", request)
        with self._database.read() as connection:
            attached = {rules.name for rules in rules_of_topic(connection, request.topic)}
        names = [name for name in names if name in attached]
        return protos.ListTopicSubscriptionsResponse(subscriptions=names, next_page_token=token)

    def list_topic_snapshots(self, request: Any) -> Any:
        """The names of the snapshots of a topic's subscriptions."""
        names, token = self._names("snapshots", request)
        return protos.ListTopicSnapshotsResponse(snapshots=names, next_page_token=token)

    def delete_topic(self, request: Any) -> Any:
        """Its subscriptions stay, with what they have."""
        with self._change() as tx:
            if not _has_topic(tx, request.topic):
                raise not_found(request.topic)
            tx.connection.execute("DELETE FROM topics WHERE name = ?", (request.topic,))
            tx.connection.execute("DELETE FROM policies WHERE resource = ?", (request.topic,))
            for table in ("subscriptions", "snapshots", "messages"):
                tx.connection.execute(
                    f"UPDATE {table} SET topic = ? WHERE topic = ?",  # noqa: S608 - a constant
                    (DELETED_TOPIC, request.topic),
                )
            forget(tx)
        self._tell()
        return protos.Empty()

    def publish(self, request: Any) -> Any:
        """The ids of the messages, in their order. All are published, or none."""
        messages = [
            PubsubMessage(one.data, dict(one.attributes), one.ordering_key)
            for one in request.messages
        ]
        check_messages(messages)
        with self._change() as tx:
            if not _has_topic(tx, request.topic):
                raise not_found(request.topic)
            ids = publish(tx, request.topic, messages)
        self._tell()
        return protos.PublishResponse(message_ids=ids)

    def publish_message(self, topic: str, message: PubsubMessage) -> str:
        """Publish one from within this process; its id. Raises ApiError as `publish` does."""
        check_messages([message])
        with self._change() as tx:
            if not _has_topic(tx, topic):
                raise not_found(topic)
            (number,) = publish(tx, topic, [message])
        self._tell()
        return number

    def _names(self, table: str, request: Any) -> tuple[list[str], str]:
        self.get_topic(protos.GetTopicRequest(topic=request.topic))
        with self._database.read() as connection:
            select = _NAMES.format(table)
            rows, token = page(connection, select, {"topic": request.topic}, request)
        return [row["name"] for row in rows], token


def _has_topic(tx: Transaction, name: str) -> bool:
    found = tx.connection.execute("SELECT 1 FROM topics WHERE name = ?", (name,))
    return found.fetchone() is not None


def _row(topic: Any) -> tuple[str, bytes, float]:
    retention = protos.seconds_of(topic.message_retention_duration)
    return topic.name, topic.SerializeToString(deterministic=True), retention
