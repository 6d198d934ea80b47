"""How a query finds its entries: by the index of tokens where few have them, else in order.

What SQLite can tell narrows the choice; each entry that is left is read and the query is asked.
So a plan can be slow but lose nothing, and memory holds one entry at a time.
"""

import json
import sqlite3
from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from worker.local.logs.cursor import Cursor
from worker.local.logs.schema import COLUMNS
from worker.local.logs.terms import necessary
from worker.local.lql import Column, Query, Where

FEW = 20_000  # entries that are sorted after they were found; with more of them the order leads
SLICE = 10_000  # rows that SQLite goes through before somebody looks at the clock
_CHUNK = 200  # entries read at once
_PLACE = "time, insert_id, log"
_TIME: Mapping[tuple[str, ...], Column] = {("timestamp",): COLUMNS["timestamp",]}


class Seen(NamedTuple):
    """An entry that was looked at: its place, and the entry itself if it matches."""

    cursor: Cursor
    entry: dict[str, Any] | None


class Plan(NamedTuple):
    """Which rows can match at all, newest or oldest first."""

    within: Where  # a stretch of the order
    condition: Where  # what else must hold
    few: list[int] | None  # the only rows that can match; None: too many to sort
    newest_first: bool

    @property
    def order(self) -> str:
        """The ORDER BY that is the place of an entry."""
        way = "DESC" if self.newest_first else "ASC"
        return f"ORDER BY time {way}, insert_id {way}, log {way}"

    def behind(self, cursor: Cursor) -> Where:
        """What comes after this place."""
        return Where(f"({_PLACE}) {'<' if self.newest_first else '>'} (?, ?, ?)", tuple(cursor))

    def until(self, cursor: Cursor) -> Where:
        """What comes no later than this place."""
        return Where(f"({_PLACE}) {'>=' if self.newest_first else '<='} (?, ?, ?)", tuple(cursor))


def plan(
    connection: sqlite3.Connection, query: Query, others: Sequence[Where], *, newest_first: bool
) -> Plan:
    """How to find what matches and meets the conditions `others` as well."""
    within = joined([*others, query.where(_TIME)])
    condition = joined([*others, query.where(COLUMNS)])
    return Plan(within, condition, _few(connection, query), newest_first)


def joined(parts: Sequence[Where]) -> Where:
    """All of the conditions. Of those that an index could serve, SQLite takes the first."""
    sql = " AND ".join(f"({part.sql})" for part in parts)
    return Where(sql, tuple(value for part in parts for value in part.parameters))


def _few(connection: sqlite3.Connection, query: Query) -> list[int] | None:
    """The rows that have the tokens which the query asks for; None if that excludes too few."""
    expression = necessary(query)
    if not expression:
        return None
    sql = "SELECT rowid FROM term WHERE term MATCH ? LIMIT ?"
    rows = [row[0] for row in connection.execute(sql, (expression, FEW + 1))]
    return rows if len(rows) <= FEW else None


def of_parents(connection: sqlite3.Connection, parents: Sequence[str]) -> Where:
    """The logs of, say, projects/demo; no condition where there are no others."""
    rows = list(connection.execute("SELECT id, name FROM log"))
    wanted = [row["id"] for row in rows if row["name"].partition("/logs/")[0] in parents]
    if len(wanted) == len(rows):
        return Where("1", ())
    return Where("log IN (SELECT value FROM json_each(?))", (json.dumps(wanted),))


def seen(
    connection: sqlite3.Connection, plan: Plan, query: Query, after: Cursor | None = None
) -> Generator[Seen, None, None]:
    """Every entry behind `after` that the plan leaves, in order; and now and then a mere place."""
    way = _in_slices if plan.few is None else _the_few
    for cursor, body in way(connection, plan, after):
        entry = json.loads(body) if body else None
        yield Seen(cursor, entry if entry is not None and query.matches(entry) else None)


_Rows = Iterator[tuple[Cursor, str]]


def _the_few(connection: sqlite3.Connection, plan: Plan, after: Cursor | None) -> _Rows:
    few = Where("id IN (SELECT value FROM json_each(?))", (json.dumps(plan.few),))
    condition = joined([few, *([plan.behind(after)] if after else []), plan.condition])
    # NOT INDEXED: else SQLite might go through all entries of a time instead of the few.
    sql = f"SELECT id FROM entry NOT INDEXED WHERE {condition.sql} {plan.order}"  # noqa: S608 - of ours
    found = [row[0] for row in connection.execute(sql, condition.parameters)]
    for first in range(0, len(found), _CHUNK):
        chunk = Where(few.sql, (json.dumps(found[first : first + _CHUNK]),))
        yield from list(_read(connection, plan, chunk))


def _in_slices(connection: sqlite3.Connection, plan: Plan, after: Cursor | None) -> _Rows:
    while True:
        behind = [plan.behind(after)] if after else []
        last = _place(connection, plan, joined([*behind, plan.within]))
        end = [plan.until(last)] if last else []
        yield from _read(connection, plan, joined([*behind, *end, plan.condition]))
        if last is None:
            return
        yield last, ""
        after = last


def _place(connection: sqlite3.Connection, plan: Plan, within: Where) -> Cursor | None:
    """The place of the last row of a slice; None if there are fewer rows than that."""
    sql = f"SELECT {_PLACE} FROM entry WHERE {within.sql} {plan.order} LIMIT 1 OFFSET ?"  # noqa: S608 - of ours
    row = connection.execute(sql, (*within.parameters, SLICE - 1)).fetchone()
    return Cursor(*row) if row else None


def _read(connection: sqlite3.Connection, plan: Plan, condition: Where) -> _Rows:
    sql = f"SELECT {_PLACE}, body FROM entry WHERE {condition.sql} {plan.order}"  # noqa: S608 - of ours
    for time, insert_id, log, body in connection.execute(sql, condition.parameters):
        yield Cursor(time, insert_id, log), body
