"""A filter that is wrong is refused with the place, the reason and what to write."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from worker.local.lql import FilterError, Query, parse

REFUSED = [
    # text, column, part of the sentence
    ("severity=FOO", 10, '"FOO" is no value for severity'),
    ("severity=WARN", 10, "want one of DEFAULT"),
    ('timestamp>"soon"', 11, 'like "2026-01-31T12:00:00Z"'),
    ("timestamp>2026-02-30", 11, "no value for timestamp"),
    ("httpRequest.latency>1.5", 21, "a number with a unit"),
    ("httpRequest.status=200.5", 20, "a whole number of 32 bits"),
    ("httpRequest.status=2147483648", 20, "a whole number of 32 bits"),
    ("httpRequest.requestSize=9223372036854775808", 25, "64 bits"),
    ("operation.first=1", 17, "true or false"),
    ("cast(jsonPayload.a, INT64)=abc", 28, "no value for cast(jsonPayload.a, INT64)"),
    ("thud=1", 1, 'unknown field "thud"'),
    ("operation.thud=1", 1, "operation has first, id, last, producer"),
    ("textPayload.thud=1", 1, "textPayload is text"),
    ("timestamp.seconds=1", 1, "it has no fields"),
    ("severty=ERROR", 1, "did you mean severity?"),
    ("resource.labls.a=1", 1, "did you mean resource.labels?"),
    ("httpRequest.user_agnt=x", 1, "did you mean httpRequest.userAgent?"),
    ("feature=smoke_test", 1, "jsonPayload.NAME"),
    ("labels.a.b=1", 1, 'labels."a.b"'),
    ("labels.k8s/app=x", 8, '"k8s/app"'),
    ("insertId = abc:def", 15, "in double quotes"),
    ("severity==ERROR", 10, 'equality is "=", not "=="'),
    ("severity = = ERROR", 12, 'not "=="'),
    ("a && b", 3, "want AND"),
    ("a || b", 3, "want OR"),
    ("!a", 1, "want NOT"),
    ("textPayload='x'", 13, "double quotes"),
    ("textPayload:foo*", 16, "no wildcards"),
    ("*", 1, "no wildcards"),
    ("textPayload=*", 13, "textPayload:*"),
    ("(a", 3, 'want ")"'),
    ("a)", 2, 'there is no "(" for it'),
    ("()", 2, "want a value or a comparison"),
    ("severity=", 10, "unexpected end at line 1, column 10: want a value"),
    ("severity=)", 10, "want a value"),
    ("severity>=<ERROR", 11, "want a value"),
    ("=ERROR", 1, "want a field before it"),
    ("AND a", 1, "want a comparison on both sides"),
    ("a OR", 5, "want a comparison"),
    ("a OR OR b", 6, "both sides"),
    ("NOT", 4, "want a comparison"),
    ("a NOT", 6, "want a comparison"),
    ("severity=NOT ERROR", 10, "NOT and - stand before a comparison"),
    ("textPayload=-foo", 13, "text that begins with - is put in quotes"),
    ("textPayload=+foo", 13, "double quotes"),
    ("textPayload=.5", 13, "double quotes"),
    ("textPayload:end.", 16, "double quotes"),
    ('textPayload="open', 13, "not closed"),
    ('severity IN ("INFO", "ERROR")', 20, 'field=("a" OR "b")'),
    ("severity=(INFO, ERROR)", 15, 'field=("a" OR "b")'),
    ("severity=(a=b)", 12, "double quotes"),
    ('jsonPayload.a("x")', 1, "want an operator between"),
    ('textPayload=a."b"', 13, "in double quotes as a whole"),
    ("textPayload=foo(bar)", 13, "a function stands on the left side"),
    ("textPayload=(foo(bar))", 14, "a function stands on the left side"),
    ("textPayload =~ foo", 16, "want it in double quotes"),
    ('textPayload =~ "("', 16, "no RE2 pattern"),
    ('textPayload =~ "(?=a)"', 16, "no RE2 pattern"),
    (r'textPayload =~ "(a)\1"', 16, "no RE2 pattern"),
    ('severity =~ "ERR"', 13, "cast(severity, STRING)"),
    ('httpRequest.status =~ "5.."', 23, "a pattern is for text"),
    ('jsonPayload =~ "x"', 16, "compare a field in it"),
    ("resource=gce", 10, "resource is an object"),
    ("labels>1", 8, "labels is a map"),
    ("severity=NULL_VALUE", 10, "never NULL_VALUE"),
    ("labels.a=NULL_VALUE", 10, "never NULL_VALUE"),
    ("jsonPayload.a<NULL_VALUE", 15, "it goes with = or !="),
    # functions
    ("foo(1)", 1, "unknown function"),
    ('serch("x")', 1, 'did you mean SEARCH("words")'),
    ("log_id()", 1, "log_id has 0 arguments"),
    ('log_id("a", "b")', 1, "log_id has 2 arguments"),
    ('log_id("x") = "x"', 1, "it stands on its own"),
    ("log_id(log_id(x))", 8, "unexpected function"),
    ("cast(jsonPayload.a, INT64)", 1, "cast is no condition"),
    ('regexp_extract(textPayload, "(a)")', 1, "regexp_extract is no condition"),
    ("source(x)", 8, "want projects/ID"),
    ("SEARCH(x)", 8, "in double quotes"),
    ('SEARCH("")', 8, "want a word in it"),
    ('SEARCH("`a")', 8, "backtick is not closed"),
    ('SEARCH(severity, "x")', 8, "severity is a severity"),
    ('SEARCH(thud, "x")', 8, "unknown field"),
    ("sample(insertId, 0)", 18, "above 0, 1 at most"),
    ("sample(insertId, 1.1)", 18, "above 0, 1 at most"),
    ("sample(insertId, nan)", 18, "above 0, 1 at most"),
    ("sample(timestamp, 0.5)", 8, "timestamp is a time"),
    ("sample(cast(a, STRING), 0.5)", 8, "want a field"),
    ('ip_in_net(trace, "10.0.0.0/33")', 18, "is no network"),
    ('ip_in_net(httpRequest.status, "10.0.0.0/8")', 11, "httpRequest.status is a whole number"),
    ("cast(jsonPayload.a, NUMBER)=1", 21, "want STRING, INT64"),
    ("cast(timestamp, INT64)=1", 6, "a time cannot become INT64"),
    ("cast(resource, STRING)=1", 6, "an object cannot become STRING"),
    ('cast(timestamp, STRING, TIMEZONE("Mars/Base"))=1', 34, "unknown time zone"),
    ('cast(timestamp, STRING, TIMEZONE("../../etc/passwd"))=1', 34, "unknown time zone"),
    ('cast(severity, STRING, TIMEZONE("UTC"))=1', 24, "unexpected TIMEZONE"),
    ("cast(timestamp, STRING, UTC)=1", 25, "want TIMEZONE"),
    ('regexp_extract(textPayload, "a")="x"', 29, "the pattern has 0 capture groups"),
    ('regexp_extract(textPayload, "(a)(b)")="x"', 29, "the pattern has 2 capture groups"),
    ('regexp_extract(textPayload, "(")="x"', 29, "no RE2 pattern"),
    ('regexp_extract(timestamp, "(a)")="x"', 16, "cast(field, STRING)"),
    ("timezone(x)", 1, "unknown function"),
]


@pytest.mark.parametrize(("text", "column", "sentence"), REFUSED, ids=[one[0] for one in REFUSED])
def test_a_wrong_filter_is_refused_with_place_and_reason(
    text: str, column: int, sentence: str
) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    error = caught.value
    assert sentence in str(error)
    assert (error.line, error.column, error.position) == (1, column, column - 1)
    assert f" at line 1, column {column}: " in str(error)


def test_the_place_counts_lines() -> None:
    with pytest.raises(FilterError) as caught:
        parse('resource.type = "x"\n-- why\n  AND severity = FOO')
    assert (caught.value.line, caught.value.column, caught.value.position) == (3, 18, 44)
    assert "at line 3, column 18" in str(caught.value)
    assert caught.value.reason.startswith('"FOO" is no value for severity: want one of')


def test_an_error_repeats_no_more_than_40_characters_of_the_filter() -> None:
    with pytest.raises(FilterError) as caught:
        parse(f"severity={'x' * 500}")
    assert "x" * 39 in str(caught.value)
    assert "x" * 40 not in str(caught.value)


def test_a_filter_of_20000_characters_is_taken_and_a_longer_one_is_not() -> None:
    assert parse("x" * 20_000).matches({"textPayload": "x" * 20_000})
    with pytest.raises(FilterError, match="20,000 characters at most"):
        parse("x" * 20_001)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 10_000,
        "NOT " * 4_999 + "a",
        "- " * 9_999 + "a",
        "a OR (b AND " * 1_000,
        "cast(" * 3_999 + "a",
        "textPayload=" + "(" * 9_000,
        "textPayload=(" + "NOT " * 4_900 + "a)",
        "textPayload:" + "(a OR (b AND " * 500 + "c" + "))" * 500,
    ],
)
def test_deep_nesting_is_refused(text: str) -> None:
    with pytest.raises(FilterError):
        parse(text)


def test_parentheses_alone_may_nest_as_deep_as_they_like() -> None:
    assert parse("(" * 9_000 + "a" + ")" * 9_000) == parse("a")


def test_the_deepest_filter_that_is_taken_works() -> None:
    text = "a OR (b AND (" * 49 + "c" + "))" * 49
    query = parse(text)
    assert query.matches({"textPayload": "a"})
    assert parse(str(query)) == query
    assert query.where({}).sql == "1"
    assert isinstance(hash(query), int)


@pytest.mark.parametrize("many", [" OR ", " ", "\n"])
def test_a_filter_may_be_wide(many: str) -> None:
    query = parse(many.join(["insertId=abc"] * 1_200))
    assert query.matches({"insertId": "ABC"})


_PIECES = st.sampled_from(
    [
        "AND",
        "OR",
        "NOT",
        "-",
        "--",
        "(",
        ")",
        "=",
        "!=",
        ":",
        "=~",
        "!~",
        "<=",
        "*",
        ",",
        ".",
        '"',
        "'",
        "\\",
        "\n",
        " ",
        "severity",
        "ERROR",
        "jsonPayload.a",
        "labels.",
        '"x"',
        "timestamp",
        "2026-11-20",
        "cast(",
        "SEARCH(",
        "STRING",
        "regexp_extract(",
        '"(a)"',
        "sample(insertId, ",
        "0.5",
        "NULL_VALUE",
        "1.5s",
        "+1",
        "ip_in_net(",
        "source(",
        "log_id(",
        "TIMEZONE(",
        "@",
        "\ud800",
        "\0",
        "é",
        "`",
        '"`"',
    ],
)


@settings(max_examples=500)
@given(st.lists(_PIECES, max_size=14).map("".join) | st.lists(_PIECES).map(" ".join) | st.text())
@example('"\\')
@example('a."')
@example("jsonPayload.\u0660=1")
@example("timestamp=\u0662\u0660\u0662\u0666-11-20")
def test_any_text_is_a_query_or_a_filter_error(text: str) -> None:
    result = _read(text)
    if isinstance(result, FilterError):
        before = text[: result.position]
        assert 0 <= result.position <= len(text)
        assert result.line == before.count("\n") + 1
        assert result.column == len(before.split("\n")[-1]) + 1
        assert "\n" not in str(result)
    else:
        assert parse(str(result)) == result
        assert result.matches({"textPayload": "x"}) in {True, False}


def _read(text: str) -> Query | FilterError:
    try:
        return parse(text)
    except FilterError as error:
        return error
