"""The evaluator agrees with a slow, obvious one; and what SQL leaves out never matches."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from google.cloud.logging_v2.types import LogEntry
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.local import lql_reference as reference
from tests.local import lql_strategies as vocabulary
from worker.local.lql import Column, Query, column_value, parse, tree
from worker.local.lql.schema import LOG_ENTRY, Kind, Type

COLUMNS = {
    ("severity",): Column("severity", "severity"),
    ("timestamp",): Column("time", "nanoseconds"),
    ("textPayload",): Column("text_payload", "folded"),
    ("logName",): Column("log", "folded"),
    ("trace",): Column("trace", "exact"),
    ("labels", "a"): Column("label_a", "folded"),
    ("labels", "k.x"): Column("label_kx", "exact"),
    ("errorGroups", "id"): Column("groups", "folded"),
    ("jsonPayload", "a"): Column("payload_a", "folded"),
    ("jsonPayload", "a", "b"): Column("payload_ab", "folded"),
    ("jsonPayload", "b"): Column("payload_b", "exact"),
    (): Column("entry", "json"),
}


@settings(max_examples=200)
@given(vocabulary.cases)
def test_the_evaluator_agrees_with_the_reference(case: tuple[tree.Node, dict[str, Any]]) -> None:
    node, entry = case
    assert Query(node).matches(entry) == reference.matches(node, entry)


@given(vocabulary.cases, st.booleans())
@example((parse('NOT textPayload="a"').tree, {}), True)
@example((parse('NOT errorGroups.id="a"').tree, {}), True)
@example((parse('NOT jsonPayload.a="x"').tree, {}), True)
@example((parse('jsonPayload.zzz="5.0"').tree, {"jsonPayload": {"zzz": 5}}), True)
@example((parse('"5.0" OR sample(insertId, 0.5)').tree, {"jsonPayload": {"zzz": 5}}), True)
@example((parse('"5.0"').tree, {"httpRequest": {"status": 5}, "jsonPayload": {"a": 5}}), True)
@example((parse('jsonPayload.a="smoke"').tree, {"jsonPayload": {"a": ["smoke"]}}), True)
@example((parse('trace="k"').tree, {"trace": "\u212a"}), True)
@example((parse('jsonPayload.zzz:"k"').tree, {"jsonPayload": {"zzz": "\u212a"}}), True)
@example((parse('jsonPayload.zzz:"k"').tree, {"jsonPayload": {"zzz": "\u212a"}}), False)
@example((parse("timestamp>1970-01-02").tree, {"timestamp": "9999-12-31T00:00:00Z"}), True)
@example((parse("timestamp>9998-12-31").tree, {"timestamp": "9999-12-31T00:00:00Z"}), True)
def test_the_row_of_a_matching_entry_meets_the_condition(
    case: tuple[tree.Node, dict[str, Any]], ascii_only: bool
) -> None:
    node, entry = case
    query = Query(node)
    with closing(sqlite3.connect(":memory:")) as database:
        _fill(database, entry, ascii_only=ascii_only)
        where = query.where(COLUMNS)
        sql = f"SELECT count(*) FROM entries WHERE {where.sql}"  # noqa: S608 - what is tested
        (chosen,) = database.execute(sql, where.parameters).fetchone()
    assert chosen or not query.matches(entry)


@pytest.mark.parametrize("many", [" OR ", " ", "\n"])
@pytest.mark.parametrize("one", ["severity=INFO", "textPayload:a", "jsonPayload.zz=a"])
def test_sqlite_takes_the_condition_of_a_wide_filter(many: str, one: str) -> None:
    query = parse(many.join([one] * (19_900 // len(many + one))))
    entry = {"severity": "INFO", "textPayload": "a", "jsonPayload": {"zz": "a"}}
    where = query.where(COLUMNS)
    with closing(sqlite3.connect(":memory:")) as database:
        _fill(database, entry, ascii_only=True)
        sql = f"SELECT count(*) FROM entries WHERE {where.sql}"  # noqa: S608 - what is tested
        assert database.execute(sql, where.parameters).fetchone() == (1,)
    assert query.matches(entry)


def _fill(database: sqlite3.Connection, entry: dict[str, Any], *, ascii_only: bool) -> None:
    names = [column.name for column in COLUMNS.values()]
    database.execute(f"CREATE TABLE entries ({', '.join(names)})")
    values = [
        json.dumps(entry, ensure_ascii=ascii_only)
        if column.kind == "json"
        else column_value(entry, path, column.kind)
        for path, column in COLUMNS.items()
    ]
    holes = ", ".join("?" * len(values))
    database.execute(f"INSERT INTO entries VALUES ({holes})", values)  # noqa: S608 - as above


@given(vocabulary.trees)
def test_printing_and_parsing_a_tree_gives_the_same_tree(node: tree.Node) -> None:
    assert parse(str(Query(node))).tree == node


def test_the_schema_has_the_fields_that_google_has() -> None:
    assert _kinds(LOG_ENTRY, LogEntry.pb(LogEntry()).DESCRIPTOR) == []


_WORDS = {
    Kind.STRING: "text", Kind.BOOL: "bool", Kind.INT32: "int", Kind.INT64: "int",
    Kind.SEVERITY: "severity", Kind.TIMESTAMP: "time", Kind.DURATION: "duration",
    Kind.MESSAGE: "message", Kind.MAP: "map", Kind.STRUCT: "struct", Kind.ANY: "struct",
}  # fmt: skip


def _kinds(ours: Type, descriptor: Any) -> list[str]:
    """Where the schema differs from the descriptor."""
    wrong = []
    for name, field in reference.fields_of(descriptor).items():
        mine = ours.fields.get(name)
        if mine is None or (_WORDS[mine.kind], mine.repeated) != (field.kind, _list(field)):
            wrong.append(name)
        elif field.kind == "message":
            wrong += _kinds(mine, field.message)
    return wrong


def _list(field: reference.Described) -> bool:
    return field.repeated and field.kind != "map"
