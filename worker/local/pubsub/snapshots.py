"""The Subscriber service, its snapshots, and the seek to one or to a time."""

import sqlite3
from typing import Any

from worker.local.errors import ApiError, Code
from worker.local.pubsub import protos
from worker.local.pubsub.backlog import forget
from worker.local.pubsub.masks import merge
from worker.local.pubsub.names import already_exists, check_name, check_project, not_found
from worker.local.pubsub.pages import page, prefix
from worker.local.pubsub.rules import Rules, rules_of
from worker.local.pubsub.schema import Transaction
from worker.local.pubsub.seeking import Goal, seek, snapshot_goal, time_goal
from worker.local.pubsub.state import State
from worker.local.pubsub.upkeep import retire

_LIFE_SECONDS = 7 * 86_400.0  # from the oldest message in it
_SHORTEST_SECONDS = 3_600.0
_MUTABLE = ("labels", "expire_time")


class SnapshotCalls(State):
    """Each takes and returns a protobuf message of the call's name. Raises ApiError."""

    def create_snapshot(self, request: Any) -> Any:
        """The snapshot of what the subscription has not acknowledged."""
        with self._change() as tx:
            rules = _rules(tx, request.subscription)
            name = request.name or f"{_project(rules.name)}/snapshots/snapshot-{tx.ids.next()}"
            check_name(name, "snapshots")
            if _find(tx.connection, name, tx.now) is not None:
                raise already_exists(name)
            retire(tx, rules, thoroughly=True)
            expires = _expiry(tx, rules)
            snapshot = protos.Snapshot(name=name, topic=rules.topic, labels=request.labels)
            snapshot.expire_time.CopyFrom(protos.timestamp(expires))
            tx.connection.execute("DELETE FROM snapshots WHERE name = ?", (name,))
            tx.connection.execute(
                "INSERT INTO snapshots VALUES (?, ?, ?, ?, ?)",
                (name, rules.topic, snapshot.SerializeToString(), tx.ids.next(), expires),
            )
            tx.connection.execute(
                "INSERT INTO snapshot_messages"
                " SELECT ?, message FROM states WHERE subscription = ? AND acked = 0",
                (name, rules.id),
            )
        return snapshot

    def get_snapshot(self, request: Any) -> Any:
        """The snapshot."""
        with self._database.read() as connection:
            row = _find(connection, request.snapshot, self.clock.now())
        if row is None:
            raise not_found(request.snapshot)
        return _read(row)

    def list_snapshots(self, request: Any) -> Any:
        """The snapshots of a project."""
        bounds = prefix(check_project(request.project), "snapshots")
        select = (
            "SELECT name, topic, body FROM snapshots"
            " WHERE name > :first AND name < :last AND expires > :now"
        )
        values = {**bounds, "now": self.clock.now()}
        with self._database.read() as connection:
            rows, token = page(connection, select, values, request)
        return protos.ListSnapshotsResponse(snapshots=map(_read, rows), next_page_token=token)

    def update_snapshot(self, request: Any) -> Any:
        """The snapshot with the fields changed that the mask names."""
        name = request.snapshot.name
        with self._change() as tx:
            row = _find(tx.connection, name, tx.now)
            if row is None:
                raise not_found(name)
            snapshot = _read(row)
            merge(request, "snapshot", snapshot, _MUTABLE)
            expires = protos.seconds_of(snapshot.expire_time)
            if not tx.now < expires <= tx.now + _LIFE_SECONDS:
                raise ApiError(
                    Code.INVALID_ARGUMENT,
                    "Invalid expire_time given: want a time within the next 7 days.",
                )
            tx.connection.execute(
                "UPDATE snapshots SET body = ?, expires = ? WHERE name = ?",
                (snapshot.SerializeToString(), expires, name),
            )
        return snapshot

    def delete_snapshot(self, request: Any) -> Any:
        """What it alone retained is gone."""
        with self._change() as tx:
            if _find(tx.connection, request.snapshot, tx.now) is None:
                raise not_found(request.snapshot)
            tx.connection.execute("DELETE FROM snapshots WHERE name = ?", (request.snapshot,))
            tx.connection.execute("DELETE FROM policies WHERE resource = ?", (request.snapshot,))
            forget(tx)
        return protos.Empty()

    def seek(self, request: Any) -> Any:
        """The backlog is made what it was at a time, or in a snapshot of the same topic."""
        with self._change() as tx:
            rules = _rules(tx, request.subscription)
            seek(tx, rules, _goal(tx, rules, request))
        self._tell()
        return protos.SeekResponse()


def _goal(tx: Transaction, rules: Rules, request: Any) -> Goal:
    if request.WhichOneof("target") is None:
        raise ApiError(
            Code.INVALID_ARGUMENT, "The SeekRequest must have a target: a time or a snapshot."
        )
    if request.WhichOneof("target") == "time":
        return time_goal(protos.seconds_of(request.time))
    row = _find(tx.connection, request.snapshot, tx.now)
    if row is None:
        raise not_found(request.snapshot)
    if row["topic"] != rules.topic:
        raise ApiError(
            Code.FAILED_PRECONDITION,
            "The snapshot's topic is not the topic of the subscription:"
            f" {row['topic']} and {rules.topic}.",
        )
    return snapshot_goal(request.snapshot, row["after"])


def _rules(tx: Transaction, subscription: str) -> Rules:
    rules = rules_of(tx.connection, subscription)
    if rules is None:
        raise not_found(subscription)
    if rules.detached:
        raise ApiError(Code.FAILED_PRECONDITION, "The subscription is detached from its topic.")
    return rules


def _find(connection: sqlite3.Connection, name: str, now: float) -> sqlite3.Row | None:
    found: sqlite3.Row | None = connection.execute(
        "SELECT * FROM snapshots WHERE name = ? AND expires > ?", (name, now)
    ).fetchone()
    return found


def _read(row: sqlite3.Row) -> Any:
    snapshot = protos.Snapshot.FromString(row["body"])
    snapshot.topic = row["topic"]
    return snapshot


def _expiry(tx: Transaction, rules: Rules) -> float:
    """Seven days after the oldest message in the backlog was published."""
    (oldest,) = tx.connection.execute(
        "SELECT min(published) FROM states JOIN messages ON id = message"
        " WHERE subscription = ? AND acked = 0",
        (rules.id,),
    ).fetchone()
    expires: float = (tx.now if oldest is None else oldest) + _LIFE_SECONDS
    if expires < tx.now + _SHORTEST_SECONDS:
        raise ApiError(
            Code.FAILED_PRECONDITION,
            "The backlog of the subscription is too old: the snapshot would expire within an hour.",
        )
    return expires


def _project(name: str) -> str:
    return "/".join(name.split("/")[:2])
