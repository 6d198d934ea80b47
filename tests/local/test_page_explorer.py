"""What a Logs address asks for: worker/local/page/explorer.py and entries.py."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.datastructures import MultiDict

from worker.local import lql
from worker.local.page.entries import epoch, quoted, view
from worker.local.page.explorer import RANGES, Asked, Mistake, clause_of, written

NOW = 1_780_056_000.0  # 2026-05-29T12:00:00Z


def of_address(address: str) -> Asked:
    found = parse_qs(urlsplit(address).query, keep_blank_values=True)
    return Asked.of(MultiDict({name: values[0] for name, values in found.items()}))


addresses = st.builds(
    Asked,
    query=st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60).map(
        lambda text: text.replace("\r\n", "\n")
    ),
    range=st.sampled_from(list(RANGES)),
    since=st.sampled_from(["", "2026-05-29T12:00:00.000Z"]),
    cursor=st.sampled_from(["", "abc"]),
    live=st.booleans(),
)


@given(addresses)
def test_an_address_says_all_of_it(asked: Asked) -> None:
    assert of_address(asked.address(cursor=asked.cursor)) == asked


@given(st.dictionaries(st.sampled_from(["query", "range", "since", "until", "live"]), st.text()))
def test_any_address_is_read(arguments: dict[str, str]) -> None:
    asked = Asked.of(MultiDict(arguments))
    assert asked.range in RANGES
    since, _ = asked.span(NOW)
    assert since <= NOW or asked.since


def test_a_change_of_anything_begins_at_the_first_page() -> None:
    asked = Asked(query="a", cursor="here")
    assert asked.address(range="6h") == "/logs?query=a&range=6h"


def test_the_time_is_added_unless_the_query_speaks_of_it() -> None:
    assert Asked("severity=INFO", "15m").whole(NOW) == (
        'severity=INFO\ntimestamp>="2026-05-29T11:45:00.000Z"'
    )
    own = 'timestamp>="2026-01-01T00:00:00Z"'
    assert Asked(own).whole(NOW) == own
    assert Asked("", "all").whole(NOW) == ""
    narrow = Asked(since="2026-05-29T11:00:00Z", until="2026-05-29T11:01:00Z")
    assert narrow.whole(NOW) == (
        'timestamp>="2026-05-29T11:00:00.000Z"\ntimestamp<"2026-05-29T11:01:00.000Z"'
    )


def test_the_time_does_not_change_what_an_or_means() -> None:
    query = lql.parse(Asked("severity=INFO OR severity=ERROR").whole(NOW))
    entry = {"severity": "INFO", "timestamp": "2020-01-01T00:00:00Z"}
    assert not query.matches(entry)
    assert query.matches({**entry, "timestamp": "2026-05-29T11:59:00Z"})


def test_a_comment_at_the_end_does_not_swallow_the_time() -> None:
    query = lql.parse(Asked("severity=INFO -- all of them").whole(NOW))
    assert not query.matches({"severity": "INFO", "timestamp": "2020-01-01T00:00:00Z"})


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1))
def test_a_clause_finds_just_its_value(value: str) -> None:
    query = lql.parse(clause_of("jsonPayload.feature", value))
    assert query.matches({"jsonPayload": {"feature": value}})
    assert not query.matches({"jsonPayload": {"feature": value + "x"}})


def test_a_clause_is_added_and_taken_away() -> None:
    asked = Asked("severity=INFO")
    more = of_address(asked.toggled('jsonPayload.feature="a"'))
    assert more.query == 'severity=INFO\njsonPayload.feature="a"'
    assert more.has('jsonPayload.feature="a"')
    assert of_address(more.toggled("severity=INFO")).query == 'jsonPayload.feature="a"'


def error_of(text: str) -> lql.FilterError | None:
    try:
        lql.parse(text)
    except lql.FilterError as error:
        return error
    return None


@given(st.text(max_size=30).map(lambda text: f"{text})"))
def test_any_mistake_can_be_shown(text: str) -> None:
    if (error := error_of(text)) is not None:
        mistake = Mistake.of(text, error)
        assert mistake.sentence == str(error)
        assert "\n" not in mistake.line
        assert mistake.before >= 0


def test_a_mistake_is_under_the_character_that_is_wrong() -> None:
    text = 'severity=INFO\n\ttextPayload="\u202e" )'
    error = error_of(text)
    assert error is not None
    mistake = Mistake.of(text, error)
    assert mistake.line == ' textPayload="\u202e" )'
    assert (' textPayload="⟨U+202E⟩" )')[mistake.before] == ")"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
entry_fields = st.sampled_from(
    ["timestamp", "severity", "logName", "insertId", "jsonPayload", "textPayload", "httpRequest"]
)


@given(st.dictionaries(entry_fields, json_values))
def test_any_entry_can_be_shown(entry: dict[str, Any]) -> None:
    shown = view(entry)
    assert "\n" not in shown.summary
    assert len(shown.summary) <= 300
    assert shown.key == view(dict(entry)).key
    assert shown.text


@pytest.mark.parametrize(
    ("entry", "summary"),
    [
        ({"textPayload": "one\n two"}, "one two"),
        ({"jsonPayload": {"message": "hello", "event": "e"}}, "hello"),
        ({"jsonPayload": {"event": "e"}}, "e"),
        ({"jsonPayload": {"a": 1}}, '{"a": 1}'),
        (
            {"httpRequest": {"requestMethod": "POST", "requestUrl": "http://a/", "status": 200}},
            "POST http://a/ 200",
        ),
    ],
)
def test_the_line_of_an_entry_is_what_it_says(entry: dict[str, Any], summary: str) -> None:
    assert view(entry).summary == summary


def test_times_are_read_and_written() -> None:
    assert epoch("2026-05-29T12:00:00Z") == NOW
    assert epoch("2026-05-29T12:00:00.123456789Z") == pytest.approx(NOW + 0.123456)
    assert epoch("soon") == 0.0
    assert written(NOW + 0.5) == "2026-05-29T12:00:00.500Z"


@given(st.text())
def test_a_quoted_value_is_one_word_of_a_query(text: str) -> None:
    assert "\n" not in quoted(text)
