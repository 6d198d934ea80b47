"""The tables of the log store, and which fields of an entry have a column."""

from collections.abc import Mapping
from typing import Any

from worker.local.logs.entries import Ready
from worker.local.lql import Column, column_value

# entry_order is what a search reads as long as it can: in order, and with all columns but the
# text. `term` finds entries by the values of their fields, whatever those are called: see
# tokens.py. It keeps no text and no counts, which makes it a tenth of the size of the entries.
# `sink` has the fields of a sink that were changed, as JSON.
SCHEMA = """
CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    folded TEXT NOT NULL,
    entries INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    insert_id TEXT NOT NULL,
    log INTEGER NOT NULL REFERENCES log(id),
    severity INTEGER NOT NULL,
    feature TEXT,
    outcome TEXT,
    event TEXT,
    body TEXT NOT NULL
);
CREATE INDEX entry_order ON entry(time, insert_id, log, severity, feature, outcome, event);
CREATE VIRTUAL TABLE term USING fts5(
    tokens, content='', detail=none, columnsize=0, tokenize='ascii'
);
CREATE TABLE number (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE sink (name TEXT PRIMARY KEY, body TEXT NOT NULL);
"""
# Cloud Logging takes entries of one log with the same timestamp and insertId for the same.
# A whole batch is one statement, with its rows as JSON: for each statement the interpreter's lock
# has to be had again, which under load takes longer than SQLite does.
INSERT = """
INSERT INTO entry (id, time, insert_id, log, severity, feature, outcome, event, body)
SELECT new.id, new.time, new.insert_id, new.log, severity, feature, outcome, event, body
FROM (
    SELECT
        json_extract(value, '$[0]') AS id, json_extract(value, '$[1]') AS time,
        json_extract(value, '$[2]') AS insert_id, json_extract(value, '$[3]') AS log,
        json_extract(value, '$[4]') AS severity, json_extract(value, '$[5]') AS feature,
        json_extract(value, '$[6]') AS outcome, json_extract(value, '$[7]') AS event,
        json_extract(value, '$[8]') AS body
    FROM json_each(?)
) AS new
WHERE NOT EXISTS (
    SELECT 1 FROM entry AS old
    WHERE old.time = new.time AND old.insert_id = new.insert_id AND old.log = new.log
)
RETURNING id
"""
PAYLOAD_COLUMNS = ("feature", "outcome", "event")  # of jsonPayload: those the page filters by
COLUMNS: Mapping[tuple[str, ...], Column] = {
    ("timestamp",): Column("time", "nanoseconds"),
    ("severity",): Column("severity", "severity"),
    ("logName",): Column("(SELECT folded FROM log WHERE log.id = entry.log)", "folded"),
    **{("jsonPayload", name): Column(name, "folded") for name in PAYLOAD_COLUMNS},
    (): Column("body", "json"),
}


def row(number: int, ready: Ready, log: int) -> tuple[Any, ...]:
    """The values for INSERT, `number` being the row's id."""
    severity = column_value(ready.entry, ("severity",), "severity")
    texts = [column_value(ready.entry, ("jsonPayload", n), "folded") for n in PAYLOAD_COLUMNS]
    return (number, ready.time, ready.insert_id, log, severity, *texts, ready.body)
