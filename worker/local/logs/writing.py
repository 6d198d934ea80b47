"""Entries into and out of the tables: each function is part of one transaction."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Sequence

from worker.local.logs.entries import Ready
from worker.local.logs.schema import INSERT, row
from worker.local.logs.tokens import tokens
from worker.local.lql import fold

_ADD_TOKENS = """
INSERT INTO term (rowid, tokens)
SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?)
"""
_DROP_TOKENS = "INSERT INTO term (term, rowid, tokens) VALUES ('delete', ?, ?)"
_COUNT = "UPDATE log SET entries = entries + ? WHERE id = ?"


def insert(connection: sqlite3.Connection, batch: Sequence[Ready]) -> list[Ready]:
    """Add the entries; those that are there already are left out. Returns the new ones."""
    logs = {name: _log_id(connection, name) for name in {one.log_name for one in batch}}
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM entry").fetchone()
    different = {(one.time, one.insert_id, one.log_name): one for one in reversed(batch)}
    numbered = dict(enumerate(reversed(different.values()), last + 1))
    rows = [row(number, one, logs[one.log_name]) for number, one in numbered.items()]
    added = [one["id"] for one in connection.execute(INSERT, (json.dumps(rows),)).fetchall()]
    terms = [(number, tokens(numbered[number].entry)) for number in added]
    connection.execute(_ADD_TOKENS, (json.dumps(terms),))
    new = [numbered[number] for number in added]
    count = Counter(one.log_name for one in new)
    connection.executemany(_COUNT, [(number, logs[name]) for name, number in count.items()])
    return new


def _log_id(connection: sqlite3.Connection, name: str) -> int:
    found = connection.execute("SELECT id FROM log WHERE name = ?", (name,)).fetchone()
    if found:
        return int(found["id"])
    values = (name, fold(name))
    added = connection.execute("INSERT INTO log (name, folded) VALUES (?, ?)", values)
    return int(added.lastrowid or 0)


def remove(connection: sqlite3.Connection, rows: Iterable[sqlite3.Row]) -> int:
    """Remove the entries of these rows (id, log, body). Returns how many."""
    gone = list(rows)
    terms = [(one["id"], tokens(json.loads(one["body"]))) for one in gone]
    connection.executemany(_DROP_TOKENS, terms)
    connection.executemany("DELETE FROM entry WHERE id = ?", [(one["id"],) for one in gone])
    count = Counter(one["log"] for one in gone)
    connection.executemany(_COUNT, [(-number, log) for log, number in count.items()])
    return len(gone)


def prune(connection: sqlite3.Connection, *, before: int, most: int, step: int) -> int:
    """Remove up to `step` of the entries older than `before`, and of the oldest beyond `most`."""
    (count,) = connection.execute("SELECT coalesce(sum(entries), 0) FROM log").fetchone()
    oldest = "SELECT id, log, body FROM entry WHERE {} ORDER BY time LIMIT ?"
    if count > most:
        rows = connection.execute(oldest.format("1"), (min(step, count - most),))
    else:
        rows = connection.execute(oldest.format("time < ?"), (before, step))
    return remove(connection, rows)
