"""Values: what a text is worth, and back."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.local.lql import SEVERITIES, Column, column_value, parse
from worker.local.lql.text import fold, quote, unquote
from worker.local.lql.values import (
    SECOND,
    from_duration,
    from_time,
    to_bool,
    to_double,
    to_duration,
    to_int32,
    to_int64,
    to_severity,
    to_time,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01t00:00:01z", SECOND),
        ("1970-01-01 00:00:01Z", SECOND),
        ("1970-01-01T00:00:01", SECOND),
        ("1970-01-01T00:01Z", 60 * SECOND),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T01:00:00+0100", 0),
        ("1969-12-31T19:00:00-05", 0),
        ("1970-01-01T00:00:00.000000001Z", 1),
        ("1970-01-01T00:00:00.0000000019Z", 1),
        ("1969-12-31T23:59:59.5Z", -SECOND // 2),
        ("2016-12-31T23:59:60Z", 1_483_228_800 * SECOND),
        ("2026-02-30", None),
        ("2026-01-01T24:00:00Z", None),
        ("2026-01-01T00:60:00Z", None),
        ("2026-01-01T00:00:61Z", None),
        ("2026-1-1", None),
        ("0000-01-01", None),
        ("1790000000", None),
        ("now", None),
        ("", None),
    ],
)
def test_a_time_is_rfc_3339_or_a_date(text: str, nanoseconds: int | None) -> None:
    assert to_time(text) == nanoseconds


@given(
    st.datetimes(
        timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
    )
)
def test_every_time_that_python_writes_is_read(moment: datetime) -> None:
    micro = (moment - EPOCH) // timedelta(microseconds=1)
    assert to_time(moment.isoformat()) == micro * 1_000


@given(st.integers(-62_135_596_800 * SECOND, 253_402_300_799 * SECOND))
def test_a_time_that_is_written_is_read_again(nanoseconds: int) -> None:
    text = from_time(nanoseconds)
    assert text is not None
    assert to_time(text) == nanoseconds


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (5_000_000, "1970-01-01T00:00:00.005Z"),
        (1_000, "1970-01-01T00:00:00.000001Z"),
        (1, "1970-01-01T00:00:00.000000001Z"),
        (-1, "1969-12-31T23:59:59.999999999Z"),
        (10**30, None),
    ],
)
def test_a_time_is_written_with_0_3_6_or_9_digits(nanoseconds: int, text: str | None) -> None:
    assert from_time(nanoseconds) == text


@given(st.integers(-(10**20), 10**20))
def test_a_duration_that_is_written_is_read_again(nanoseconds: int) -> None:
    assert to_duration(from_duration(nanoseconds)) == nanoseconds


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("1.5s", 1_500_000_000),
        ("-1ms", -1_000_000),
        ("+2m", 120 * SECOND),
        (".5h", 1800 * SECOND),
        ("7ns", 7),
        ("3us", 3_000),
        ("1.s", SECOND),
        ("1", None),
        ("1d", None),
        ("s", None),
        ("1h30m", None),
        ("1e3s", None),
        ("9" * 50 + "s", None),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text: str, nanoseconds: int | None) -> None:
    assert to_duration(text) == nanoseconds


@given(st.text())
@example("٣")
@example("1_000")
@example(" 1")
@example("9" * 5_000)
def test_no_text_makes_a_conversion_raise(text: str) -> None:
    for convert in (to_time, to_duration, to_double, to_bool, to_int32, to_int64, to_severity):
        found = convert(text)
        assert found is None or text.isascii()


@given(st.floats())
def test_every_number_that_python_writes_is_read(number: float) -> None:
    found = to_double(repr(number))
    assert found is not None
    assert found == number or number != number  # noqa: PLR0124 - NaN is not itself


@pytest.mark.parametrize(
    ("text", "small", "large"),
    [
        ("2147483647", 2**31 - 1, 2**31 - 1),
        ("2147483648", None, 2**31),
        ("-2147483648", -(2**31), -(2**31)),
        ("9223372036854775807", None, 2**63 - 1),
        ("9223372036854775808", None, None),
        ("+7", 7, 7),
        ("1.0", None, None),
    ],
)
def test_whole_numbers_have_the_size_of_their_type(
    text: str, small: int | None, large: int | None
) -> None:
    assert (to_int32(text), to_int64(text)) == (small, large)


def test_severities_are_ordered_as_documented() -> None:
    assert list(SEVERITIES.values()) == [0, 100, 200, 300, 400, 500, 600, 700, 800]
    assert [to_severity(name.lower()) for name in SEVERITIES] == list(SEVERITIES.values())


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example('"\\\n\t\r\0\u2028')
@example("\\u0041 \\x41 \\101 \\q")
def test_a_text_in_quotes_is_read_again(text: str) -> None:
    assert unquote(quote(text)) == text
    assert "\n" not in quote(text)


@given(st.text())
@example("\u1fb3\u0345\u0301")
@example("\U0001d6f2\u037a\ua8e2\U0001d759")
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("entry", "path", "kind", "value"),
    [
        ({"severity": "Error"}, ("severity",), "severity", 500),
        ({}, ("severity",), "severity", 0),
        ({"timestamp": "1970-01-01T00:00:01Z"}, ("timestamp",), "nanoseconds", SECOND),
        ({"timestamp": "9999-01-01T00:00:00Z"}, ("timestamp",), "nanoseconds", 2**63 - 1),
        ({"textPayload": "AbC"}, ("textPayload",), "folded", "abc"),
        ({"textPayload": "AbC"}, ("textPayload",), "exact", "AbC"),
        ({"textPayload": 5}, ("textPayload",), "folded", None),
        ({}, ("textPayload",), "folded", None),
        ({"jsonPayload": {"a": ["x"]}}, ("jsonPayload", "a"), "folded", "\x01"),
        ({"jsonPayload": {"a": None}}, ("jsonPayload", "a"), "folded", "\x01"),
        ({"jsonPayload": {"a": []}}, ("jsonPayload", "a"), "folded", None),
        ({"jsonPayload": {"a": "\ud800"}}, ("jsonPayload", "a"), "folded", "\x01"),
        ({"labels": {"k.x": "V"}}, ("labels", "k.x"), "folded", "v"),
    ],
)
def test_a_column_holds_the_folded_text_or_says_that_there_is_something_else(
    entry: dict[str, Any], path: tuple[str, ...], kind: Any, value: str | int | None
) -> None:
    assert column_value(entry, path, kind) == value


@pytest.mark.parametrize(
    ("text", "sql", "parameters"),
    [
        ("", "1", ()),
        ("jsonPayload.z=1", "1", ()),
        ("severity>=ERROR", "severity >= ?", (500,)),
        ("severity>=DEFAULT", "(severity >= ? OR severity IS NULL)", (0,)),
        ("NOT severity>=ERROR", "(severity < ? OR severity IS NULL)", (500,)),
        ("jsonPayload.a=Smoke", "a IN (?, ?)", ("smoke", "\x01")),
        ("NOT jsonPayload.a=x", "1", ()),
        ("jsonPayload.a:x", "(instr(a, ?) > 0 OR a = ?)", ("x", "\x01")),
        ('jsonPayload.a=~"x"', "a IS NOT NULL", ()),
        ("severity=INFO jsonPayload.a:*", "(severity = ? AND a IS NOT NULL)", (200,)),
        ("severity=INFO jsonPayload.z=1", "severity = ?", (200,)),
        ("severity=INFO OR jsonPayload.z=1", "1", ()),
        ("severity=(INFO OR ERROR)", "(severity = ? OR severity = ?)", (200, 500)),
        ("NOT (severity=INFO jsonPayload.z=1)", "1", ()),
        ("NOT (severity=INFO OR jsonPayload.z=1)", "(severity <> ? OR severity IS NULL)", (200,)),
    ],
)
def test_what_columns_can_tell_is_asked_of_them(
    text: str, sql: str, parameters: tuple[Any, ...]
) -> None:
    columns = {
        ("severity",): Column("severity", "severity"),
        ("jsonPayload", "a"): Column("a", "folded"),
    }
    where = parse(text).where(columns)
    assert (where.sql, where.parameters) == (sql, parameters)
