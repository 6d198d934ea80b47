"""Counts for a page of logs: by time and severity, and by the values of some fields.

Both look at no more entries than can be counted while somebody waits, and say so.
"""

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.local.logs.schema import COLUMNS, PAYLOAD_COLUMNS
from worker.local.logs.searching import joined, plan, seen
from worker.local.logs.times import SECOND
from worker.local.lql import SEVERITIES, Column, Query, Where, tree

MOST = 50_000  # entries looked at, the newest
_SECONDS = 1.0  # spent on that
_ORDERS = frozenset({"=", "!=", "<", "<=", ">", ">="})
_NUMBERS: Mapping[tuple[str, ...], Column] = {
    path: COLUMNS[path] for path in (("timestamp",), ("severity",))
}
_NAMES = {number: name for name, number in SEVERITIES.items()}
_FIELDS = (("severity",), ("logName",), *(("jsonPayload", name) for name in PAYLOAD_COLUMNS))


@dataclass(frozen=True, slots=True)
class Bucket:
    """Entries of a stretch of time. Seconds since the epoch; counts by severity."""

    start: float
    seconds: float
    counts: Mapping[str, int]


class Histogram(list[Bucket]):
    """Buckets, oldest first. `complete` is false where older entries were not counted."""

    complete = True


class Facets(dict[str, list[tuple[str, int]]]):
    """Field -> its values with their counts, most first. `complete` as with a histogram."""

    complete = True


def histogram(
    connection: sqlite3.Connection, query: Query, span: tuple[float, float], buckets: int
) -> Histogram:
    """Raises ValueError for a span or a number of buckets that is not above zero."""
    since, until = (int(edge * SECOND) for edge in span)
    if until <= since or buckets < 1:
        raise ValueError("want an end after the start, and at least one bucket")
    width = -(-(until - since) // buckets)
    within = Where("time >= ? AND time < ?", (since, until))
    counts: list[Counter[str]] = [Counter() for _ in range(buckets)]
    found = Histogram()
    if (exact := _exact(query)) is not None:
        for bucket, severity, count in _all(connection, [within, exact], width):
            counts[bucket][_NAMES[severity]] = count
    else:
        sample = _Sample(connection, query, [within])
        for entry, moment in sample:
            counts[(moment - since) // width][entry.get("severity", "DEFAULT")] += 1
        found.complete = sample.complete
    found += [
        Bucket((since + number * width) / SECOND, width / SECOND, dict(count))
        for number, count in enumerate(counts)
    ]
    return found


def _exact(query: Query) -> Where | None:
    """The condition for exactly what matches; None where entries have to be asked one by one."""
    leaves = _leaves(query.tree)
    where = query.where(_NUMBERS)
    return where if leaves is not None and leaves == len(where.parameters) else None


def _leaves(node: tree.Node) -> int | None:
    """How many comparisons of columns with numbers; None if there is anything else."""
    match node:
        case tree.And(parts) | tree.Or(parts):
            counts = [_leaves(part) for part in parts]
            return None if None in counts else sum(filter(None, counts))
        case tree.Comparison(tree.Field(path), operator, str()) if path in _NUMBERS:
            return 1 if operator in _ORDERS else None
        case _:
            return None


def _all(
    connection: sqlite3.Connection, conditions: Sequence[Where], width: int
) -> Iterator[tuple[int, ...]]:
    """(bucket, severity, count), read from the index alone."""
    where = joined(conditions)
    sql = (
        "SELECT (time - ?) / ? AS bucket, severity, count(*)"  # noqa: S608 - our own text
        f" FROM entry INDEXED BY entry_order WHERE {where.sql} GROUP BY 1, 2"
    )
    rows = connection.execute(sql, (where.parameters[0], width, *where.parameters))
    return (tuple(row) for row in rows)


def facets(connection: sqlite3.Connection, query: Query) -> Facets:
    """The values of severity, logName and a few fields of the payload."""
    counts: dict[tuple[str, ...], Counter[str]] = {path: Counter() for path in _FIELDS}
    exact, sample = _exact(query), _Sample(connection, query, [])
    found = [(entry, 1) for entry, _ in sample] if exact is None else _newest(connection, exact)
    for entry, number in found:
        for path in _FIELDS:
            if value := _value(entry, path):
                counts[path][value] += number
    result = Facets({".".join(path): count.most_common() for path, count in counts.items()})
    result.complete = sample.complete if exact is None else sum(n for _, n in found) < MOST
    return result


def _newest(connection: sqlite3.Connection, where: Where) -> list[tuple[dict[str, Any], int]]:
    """One of all entries that agree in the fields, and how many do: the columns are enough."""
    grouped = ", ".join(("severity", "log", *PAYLOAD_COLUMNS))
    sql = (
        f"SELECT max(id) AS id, count(*) AS count FROM (SELECT id, {grouped} FROM entry"  # noqa: S608 - our own text
        f" WHERE {where.sql} ORDER BY time DESC, insert_id DESC, log DESC LIMIT {MOST})"
        f" GROUP BY {grouped}"
    )
    found = connection.execute(sql, where.parameters).fetchall()
    body = "SELECT body FROM entry WHERE id = ?"
    return [
        (json.loads(connection.execute(body, (row["id"],)).fetchone()["body"]), row["count"])
        for row in found
    ]


def _value(entry: Mapping[str, Any], path: tuple[str, ...]) -> str:
    if path == ("severity",):
        return str(entry.get("severity", "DEFAULT"))
    value: Any = entry
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


class _Sample:
    """The matching entries with their times in nanoseconds, newest first, while there is time."""

    def __init__(
        self, connection: sqlite3.Connection, query: Query, others: Sequence[Where]
    ) -> None:
        self._connection = connection
        self._query = query
        self._others = others
        self.complete = True

    def __iter__(self) -> Iterator[tuple[dict[str, Any], int]]:
        until = time.monotonic() + _SECONDS
        way = plan(self._connection, self._query, self._others, newest_first=True)
        for number, (cursor, entry) in enumerate(seen(self._connection, way, self._query), 1):
            if entry is not None:
                yield entry, cursor.time
            if number >= MOST or time.monotonic() > until:
                self.complete = False
                return
