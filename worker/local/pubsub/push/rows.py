"""Deliveries and attempts as rows of SQLite."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import fields
from typing import NamedTuple

from worker.local.pubsub.push.records import DATA_KEPT, Attempt, Delivery

KEPT_DELIVERIES = 50_000
KEPT_ATTEMPTS = 100_000
_KEPT_LARGE = 20  # messages beyond DATA_KEPT that are kept whole, to be delivered again
_PRUNE_EVERY = 1000  # rows

SCHEMA = """
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY,
    subscription TEXT NOT NULL,
    message_id TEXT NOT NULL,
    topic TEXT NOT NULL,
    publish_time REAL NOT NULL,
    data BLOB NOT NULL,
    data_size INTEGER NOT NULL,
    attributes TEXT NOT NULL,
    ordering_key TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    last_time REAL NOT NULL,
    UNIQUE (subscription, message_id)
);
CREATE TABLE large (
    delivery_id INTEGER PRIMARY KEY REFERENCES delivery ON DELETE CASCADE,
    data BLOB NOT NULL
);
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES delivery ON DELETE CASCADE,
    attempt INTEGER NOT NULL,
    endpoint TEXT NOT NULL,
    started REAL NOT NULL,
    seconds REAL NOT NULL,
    status INTEGER NOT NULL,
    result TEXT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    request_headers TEXT NOT NULL,
    request_size INTEGER NOT NULL,
    response_headers TEXT NOT NULL,
    response_body TEXT NOT NULL,
    response_size INTEGER NOT NULL,
    trace TEXT NOT NULL,
    span TEXT NOT NULL,
    fault TEXT NOT NULL,
    ending TEXT NOT NULL
);
CREATE INDEX delivery_by_outcome ON delivery (outcome, id);
CREATE INDEX attempt_of_delivery ON attempt (delivery_id, id);
CREATE INDEX attempt_by_time ON attempt (started, seconds, ending);
"""

_DELIVERY = tuple(field.name for field in fields(Delivery))
_ATTEMPT = tuple(
    field.name for field in fields(Attempt) if field.name not in ("subscription", "message_id")
)
_MARKS = ", ".join("?" * len(_DELIVERY)), ", ".join("?" * (len(_ATTEMPT) + 1))
_INSERT_DELIVERY = f"INSERT OR REPLACE INTO delivery ({', '.join(_DELIVERY)}) VALUES ({_MARKS[0]})"  # noqa: S608 - names of our own
_INSERT_ATTEMPT = (
    f"INSERT OR REPLACE INTO attempt ({', '.join(_ATTEMPT)}, ending) VALUES ({_MARKS[1]})"  # noqa: S608 - names of our own
)
SELECT_ATTEMPTS = (
    f"SELECT {', '.join(f'attempt.{name}' for name in _ATTEMPT)}, subscription, message_id "  # noqa: S608 - names of our own
    "FROM attempt JOIN delivery ON delivery.id = delivery_id "
    "WHERE delivery_id = ? ORDER BY attempt.id"
)
SELECT_ANSWERS = """
SELECT subscription, started, status, result FROM attempt JOIN delivery ON delivery.id = delivery_id
WHERE started >= ? AND started < ? AND result <> 'pending'
"""
_UPDATE_DELIVERY = """
UPDATE delivery SET
    attempts = (SELECT count(*) FROM attempt WHERE delivery_id = ?1),
    outcome = (
        SELECT ending FROM attempt WHERE delivery_id = ?1 ORDER BY ending = 'done' DESC, id DESC
    ),
    last_time = (SELECT started FROM attempt WHERE delivery_id = ?1 ORDER BY id DESC)
WHERE id = ?1
"""

_SEARCHED = "(message_id || ' ' || ordering_key || ' ' || attributes || ' ' || CAST(data AS TEXT))"


class Message(NamedTuple):
    """A delivery that is new, and its whole data."""

    delivery: Delivery
    data: bytes


class Answered(NamedTuple):
    """An attempt that has ended, as far as it is counted."""

    subscription: str
    started: float  # seconds since the epoch
    status: int
    result: str


def write(connection: sqlite3.Connection, news: Sequence[Message | Attempt]) -> None:
    """Keep what is new. Of an attempt that is there several times, the last state counts."""
    messages = [one for one in news if isinstance(one, Message)]
    attempts = {one.id: one for one in news if isinstance(one, Attempt)}
    connection.executemany(_INSERT_DELIVERY, [_delivery_row(one.delivery) for one in messages])
    large = [(one.delivery.id, one.data) for one in messages if len(one.data) > DATA_KEPT]
    connection.executemany("INSERT INTO large VALUES (?, ?)", large)
    # A very late end of a delivery that is not kept any more is not kept either.
    known = _known(connection, {one.delivery_id for one in attempts.values()})
    rows = [_attempt_row(one) for one in attempts.values() if one.delivery_id in known]
    connection.executemany(_INSERT_ATTEMPT, rows)
    connection.executemany(_UPDATE_DELIVERY, [(one,) for one in known])
    if any(one % _PRUNE_EVERY == 0 for one in attempts):
        _prune(connection)


def end_pending(connection: sqlite3.Connection) -> None:
    """End what was under way when the program ended: nobody will."""
    pending = "SELECT DISTINCT delivery_id FROM attempt WHERE result = 'pending'"
    touched = [tuple(row) for row in connection.execute(pending)]
    connection.execute(
        "UPDATE attempt SET result = 'unreachable', ending = 'unreachable', "
        "reason = 'the laptop cloud ended before the answer' WHERE result = 'pending'"
    )
    connection.executemany(_UPDATE_DELIVERY, touched)


def select_recent(
    limit: int, before: int, text: str, outcome: str
) -> tuple[str, tuple[object, ...]]:
    """The statement, and its parameters, of Deliveries.recent."""
    literal = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    wanted: dict[str, object] = {
        "id < ?": before,
        "outcome = ?": outcome,
        f"{_SEARCHED} LIKE ? ESCAPE '\\'": text and f"%{literal}%",
    }
    wanted = {condition: value for condition, value in wanted.items() if value}
    where = " AND ".join(wanted) or "1"
    select = f"SELECT * FROM delivery WHERE {where} ORDER BY id DESC LIMIT ?"  # noqa: S608 - conditions of our own
    return select, (*wanted.values(), limit)


def delivery_of(row: sqlite3.Row) -> Delivery:
    """The row of a delivery as it was."""
    values = dict(row)
    return Delivery(**{**values, "attributes": json.loads(values["attributes"])})


def attempt_of(row: sqlite3.Row) -> Attempt:
    """A row of SELECT_ATTEMPTS as it was."""
    values = dict(row)
    headers = {name: json.loads(values[name]) for name in ("request_headers", "response_headers")}
    return Attempt(**{**values, **headers})


def _delivery_row(delivery: Delivery) -> tuple[object, ...]:
    return tuple(_value(getattr(delivery, name)) for name in _DELIVERY)


def _attempt_row(attempt: Attempt) -> tuple[object, ...]:
    return (*(_value(getattr(attempt, name)) for name in _ATTEMPT), _value(attempt.ending))


def _value(value: object) -> object:
    if isinstance(value, str):
        # SQLite keeps text in UTF-8, which has no lone surrogates; JSON in an answer may have.
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    return _value(json.dumps(value, ensure_ascii=False)) if isinstance(value, dict) else value


def _known(connection: sqlite3.Connection, wanted: set[int]) -> set[int]:
    select = "SELECT 1 FROM delivery WHERE id = ?"
    return {one for one in wanted if connection.execute(select, (one,)).fetchone()}


def _prune(connection: sqlite3.Connection) -> None:
    for table, kept in (("delivery", KEPT_DELIVERIES), ("attempt", KEPT_ATTEMPTS)):
        oldest = f"(SELECT max(id) FROM {table}) - ?"  # noqa: S608 - names of our own
        connection.execute(f"DELETE FROM {table} WHERE id <= {oldest}", (kept,))  # noqa: S608 - same
    newest = "SELECT delivery_id FROM large ORDER BY delivery_id DESC LIMIT ?"
    connection.execute(f"DELETE FROM large WHERE delivery_id NOT IN ({newest})", (_KEPT_LARGE,))  # noqa: S608 - same
