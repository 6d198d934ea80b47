"""The parts of the log store: times, tokens, what queries ask of them, and the buffer."""

import json
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.local.logs.buffer import Buffer
from worker.local.logs.cursor import Cursor
from worker.local.logs.entries import InsertIds, Ready, ready
from worker.local.logs.terms import necessary
from worker.local.logs.times import duration, nanoseconds, written
from worker.local.logs.tokens import ANY, MOST, text, token, tokens
from worker.local.lql import parse

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("2026-11-21T19:20:09Z", "2026-11-21T19:20:09Z"),
        ("2026-11-21t19:20:09.1z", "2026-11-21T19:20:09.100Z"),
        ("2026-11-21 19:20:09.1234+02:00", "2026-11-21T17:20:09.123400Z"),
        ("2026-11-21T19:20:09.123456789-0130", "2026-11-21T20:50:09.123456789Z"),
        ("1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500Z"),
    ],
)
def test_a_time_is_read_and_written_in_utc(said: str, shown: str) -> None:
    assert written(nanoseconds(said)) == shown


@pytest.mark.parametrize(
    "said",
    ["", "soon", "2026-11-21", "2026-11-21T19:20:09", "2026-02-30T00:00:00Z",
     "2026-11-21T24:00:00Z", "2026-11-21T19:20:60Z", "2026-11-21T19:20:09.1234567890Z",
     "2026-11-21T19:20:09+99:00", "٢026-11-21T19:20:09Z", "2026-11-21T19:20:09Z "],
)  # fmt: skip
def test_what_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="time"):
        nanoseconds(said)


@given(st.datetimes(timezones=st.integers(-1439, 1439).map(
    lambda minutes: timezone(timedelta(minutes=minutes))
)), st.integers(0, SECOND - 1))  # fmt: skip
def test_any_time_comes_back(moment: datetime, nanos: int) -> None:
    try:
        moment = moment.replace(microsecond=0).astimezone(UTC)
    except OverflowError:
        return
    said = f"{moment.replace(tzinfo=None).isoformat()}.{nanos:09d}Z"
    time = nanoseconds(said)
    assert nanoseconds(written(time)) == time
    assert (time % SECOND, time // SECOND) == (nanos, int(moment.timestamp()))


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_a_value_error(said: str) -> None:
    with suppress(ValueError):
        written(nanoseconds(said))


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0s"), (1, "1s"), (0.012, "0.012s"), (0.0000015, "0.000001500s"), (61.5, "61.500s"),
     (-1, "0s")],
)  # fmt: skip
def test_a_duration_has_as_many_digits_as_it_needs(seconds: float, said: str) -> None:
    assert duration(seconds) == said


def test_ids_sort_in_the_order_they_were_made_even_if_the_clock_stands_or_goes_back() -> None:
    times = iter([5, 5, 5, 3, 9])
    ids = InsertIds(lambda: next(times))
    made = [ids.make() for _ in range(5)]
    assert made == sorted(set(made))


@given(
    st.builds(
        Cursor, st.integers(), st.text(st.characters(exclude_categories=["Cs"])), st.integers()
    )
)
def test_a_cursor_comes_back(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor)) == cursor


@given(st.text() | st.text("eyJWzabc0=_-"))
def test_any_other_text_is_a_cursor_or_a_value_error(said: str) -> None:
    with suppress(ValueError):
        assert Cursor.parse(said)


def words(entry: dict[str, Any]) -> set[str]:
    return set(tokens(entry).split())


def test_an_entry_has_a_token_for_each_value_of_open_fields() -> None:
    entry = {
        "trace": "T",
        "jsonPayload": {"a": {"b": "X"}, "l": [1, {"c": True}], "n": None},
        "severity": "INFO",
        "timestamp": "2026-11-21T19:20:09Z",
        "httpRequest": {"status": 200},
    }
    assert words(entry) == {
        token(("trace",), "t"),
        token(("jsonPayload", "a", "b"), "x"),
        token(("jsonPayload", "l"), "1.0"),
        token(("jsonPayload", "l", "c"), "true"),
        token(("jsonPayload", "n"), ""),
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (0, -0.0),
        (True, "TRUE"),
        ("Straße", "STRASSE"),
        (10**400, 10**401),
        (2**60, 2.0**60),
    ],
)
def test_values_that_are_equal_for_a_query_have_one_spelling(one: Any, other: Any) -> None:
    assert text(one) == text(other)


def test_keys_cannot_be_mistaken_for_levels() -> None:
    assert token(("a", "b"), "c") != token(("a.b",), "c") != token(("a",), "b.c")


def test_an_entry_of_very_many_values_is_found_by_any_query() -> None:
    few = {"jsonPayload": {str(number): number for number in range(MOST)}}
    many = {"jsonPayload": {str(number): number for number in range(MOST + 1)}}
    assert len(words(few)) == MOST
    assert words(many) == {ANY}


A, B = token(("jsonPayload", "a"), "x"), token(("jsonPayload", "b"), "y")
ONE = sorted([token(("jsonPayload", "a"), "1"), token(("jsonPayload", "a"), "1.0")])


@pytest.mark.parametrize(
    ("query", "asks"),
    [
        ('jsonPayload.a="X"', A),
        ("jsonPayload.a=x AND severity>=INFO", A),
        ("jsonPayload.a=x jsonPayload.b=y", f"({A} AND {B})"),
        ("jsonPayload.a=x OR jsonPayload.b=y", f"({A} OR {B})"),
        ('trace="t"', token(("trace",), "t")),
        ('labels.k="v"', token(("labels", "k"), "v")),
        ('jsonPayload.a="1"', f"({ONE[0]} OR {ONE[1]})"),
        ("operation.id=x", token(("operation", "id"), "x")),
        ("resource.type=t", token(("resource", "type"), "t")),
        ("resource.labels.l=v", token(("resource", "labels", "l"), "v")),
    ],
)  # fmt: skip
def test_a_query_asks_for_the_tokens_that_every_match_has(query: str, asks: str) -> None:
    assert necessary(parse(query)) == f"({asks}) OR {ANY}"


@pytest.mark.parametrize(
    "query",
    [
        "", "severity=INFO", 'trace=""', 'insertId=""', "NOT jsonPayload.a=x", "jsonPayload.a!=x",
        "jsonPayload.a:x", "jsonPayload.a=~x", "jsonPayload.a=NULL_VALUE", "jsonPayload.a:*",
        "jsonPayload.a=x OR severity=INFO", "operation.first=true", "jsonPayload:x", '"x"',
        'timestamp="2026-11-21T19:20:09Z"', "httpRequest.status=200", "sourceLocation.line=5",
    ],
)  # fmt: skip
def test_a_query_that_other_entries_may_match_asks_for_nothing(query: str) -> None:
    assert necessary(parse(query.replace("=~x", '=~"x"'))) == ""


def test_a_query_for_very_many_values_asks_for_nothing() -> None:
    few = " OR ".join(f"v{number}" for number in range(50))
    many = " OR ".join(f"v{number}" for number in range(500))
    assert necessary(parse(f"jsonPayload.a=({few})")).count(" OR ") == 50
    assert necessary(parse(f"jsonPayload.a=({many})")) == ""


def one(number: int) -> Ready:
    ids = InsertIds(lambda: number)
    return ready({"logName": "projects/demo/logs/l", "insertId": str(number)}, ids, number)


def test_a_buffer_writes_many_at_once_soon_and_in_order() -> None:
    batches: list[list[str]] = []
    written_all = threading.Event()

    def write(batch: Any) -> None:
        batches.append([item.insert_id for item in batch])
        if sum(map(len, batches)) == 20:
            written_all.set()

    buffer = Buffer(write)
    for number in range(20):
        buffer.add(one(number))
    assert written_all.wait(30)
    assert [name for batch in batches for name in batch] == [str(n) for n in range(20)]
    buffer.close()
    buffer.add(one(99))
    assert batches[-1] == ["99"]


def test_a_buffer_keeps_what_could_not_be_written() -> None:
    fails, batches = [True], []

    def write(batch: Any) -> None:
        if fails[0]:
            raise OSError("disk full")
        batches.append([item.insert_id for item in batch])

    buffer = Buffer(write)
    buffer.add(one(1))
    with pytest.raises(OSError, match="disk full"):
        buffer.flush()
    buffer.add(one(2))
    fails[0] = False
    buffer.close()
    assert [name for batch in batches for name in batch] == ["1", "2"]


def test_the_body_of_an_entry_is_its_json() -> None:
    made = one(5)
    assert json.loads(made.body) == made.entry
