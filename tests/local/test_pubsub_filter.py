"""The filter of a subscription: what it delivers, and what it says of a text that is none."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.local.pubsub.conditions import (
    All,
    Differs,
    Either,
    Equals,
    Filter,
    Has,
    Not,
    Prefixed,
)
from worker.local.pubsub.filter import LONGEST_BYTES, FilterError, parse

KEYS = st.sampled_from(["a", "b-c", "iana.org/tag", 'quote"', "AND", "attributes", ""])
VALUES = st.sampled_from(
    ["", "com", "common", 'a"b', "back\\slash", "new\nline", "ümläut", "\U0001f600"]
)
LEAVES: st.SearchStrategy[Filter] = st.one_of(
    st.builds(Has, KEYS),
    st.builds(Equals, KEYS, VALUES),
    st.builds(Differs, KEYS, VALUES),
    st.builds(Prefixed, KEYS, VALUES),
)
FILTERS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        st.builds(All, st.lists(inner, min_size=2, max_size=3).map(tuple)),
        st.builds(Either, st.lists(inner, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=4,
)


@given(FILTERS)
def test_a_filter_is_read_as_it_was_printed(tree: Filter) -> None:
    text = str(tree)
    if len(text.encode()) <= LONGEST_BYTES:
        assert parse(text) == tree


@given(FILTERS, st.dictionaries(KEYS, VALUES))
def test_a_filter_delivers_what_the_documentation_says(
    tree: Filter, attributes: dict[str, str]
) -> None:
    assert tree.matches(attributes) is reference(tree, attributes)


def reference(  # noqa: PLR0911 - one for each kind of condition
    tree: Filter, attributes: Mapping[str, str]
) -> bool:
    """By hand: the pairs of a message, looked through one by one."""
    pairs = list(attributes.items())
    match tree:
        case Has(key):
            return any(name == key for name, _ in pairs)
        case Equals(key, value):
            return (key, value) in pairs
        case Differs(key, value):
            return (key, value) not in pairs
        case Prefixed(key, prefix):
            return any(name == key and text[: len(prefix)] == prefix for name, text in pairs)
        case Not(of):
            return not reference(of, attributes)
        case All(of):
            return [reference(one, attributes) for one in of].count(False) == 0
        case Either(of):
            return [reference(one, attributes) for one in of].count(True) > 0
    raise AssertionError(tree)


@given(st.text(max_size=300) | st.text('attributes:."=!() ANDORNT-hasPrefix,\\u12', max_size=60))
def test_whatever_the_text_it_is_a_filter_or_a_filter_error(text: str) -> None:
    try:
        tree = parse(text)
    except FilterError:
        return
    assert parse(str(tree)) == tree or len(str(tree).encode()) > LONGEST_BYTES


@pytest.mark.parametrize(
    ("text", "delivered"),
    [
        ('attributes.name = "com"', True),
        ('attributes.name="COM"', False),
        ('attributes.name != "com"', False),
        ('attributes.other != "com"', True),
        ("attributes:name", True),
        ("attributes:Name", False),
        ("NOT attributes:name", False),
        ("-attributes:name", False),
        ("NOT attributes:other AND attributes:name", True),
        ('hasPrefix(attributes.name, "co")', True),
        ('hasPrefix( attributes.name , "mo")', False),
        ('attributes:"iana.org/language_tag"', True),
        ('attributes.name = "com" AND (attributes:other OR attributes:name)', True),
        ("attributes:other OR (attributes:name AND NOT attributes:other)", True),
        ('attributes.name = "\\u0063\\x6f\\155"', True),
        ("(((attributes:name)))", True),
        ("attributes:NOT OR attributes:name", True),
    ],
)
def test_the_examples_of_the_documentation(text: str, *, delivered: bool) -> None:
    attributes = {"name": "com", "iana.org/language_tag": "en"}

    assert parse(text).matches(attributes) is delivered


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it ends too early"),
        ("attributes:a AND", "it ends too early"),
        ("attributes:a AND ()", "unexpected ')' at position 19"),
        ("data = 5", "unexpected 'data' at position 1"),
        ("attributes.a = 5", "unexpected '5' at position 16"),
        ("attributes.a = 'x'", 'unexpected "\'" at position 16'),
        ('attributes.a < "x"', "unexpected '<' at position 14"),
        ('attributes.iana.org = "x"', "unexpected '.' at position 16"),
        ("attributes:a attributes:b", "unexpected 'attributes' at position 14"),
        ("attributes:a and attributes:b", "unexpected 'and' at position 14"),
        (
            "attributes:a AND attributes:b OR attributes:c",
            "AND and OR need parentheses where they are mixed, at position 31",
        ),
        ('attributes.a = "\\q"', "an unknown escape in the string at position 16"),
        ('attributes.a = "\\ud800"', "an escape in a string is no character of Unicode"),
        ('attributes.a = "\\Uffffffff"', "an escape in a string is no character of Unicode"),
        ("x" * 257, "it has 257 bytes, and the maximum is 256"),
        ("ü" * 129, "it has 258 bytes, and the maximum is 256"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, reason: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(text)
    assert str(caught.value) == reason


def test_parentheses_as_deep_as_a_filter_can_be_are_read() -> None:
    assert parse("(" * 122 + "attributes:a" + ")" * 122) == Has("a")
