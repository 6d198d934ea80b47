"""What counts as the same: what an API adds, leaves out, or writes otherwise is no difference."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.provision.compare import differing, same

SCALARS = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("10s", "10.000s"),
        ("10s", "10s"),
        (10, "10"),
        (0.5, "0.5"),
        (0, None),
        (False, None),
        ("", None),
        ([], None),
        ({}, None),
        ("0s", None),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": 0}, {}),
        ([{"a": 1}], [{"a": 1, "name": "made by the API"}]),
    ],
)
def test_it_is_the_same(wanted: Any, found: Any) -> None:
    assert same(wanted, found)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("10s", "11s"),
        ("10s", "10.5s"),
        (10, 11),
        (10, None),
        (True, None),
        ("a", "A"),
        ({"a": 1}, {"b": 1}),
        ({"a": 1}, [1]),
        ({"a": 1}, "a"),
        ([1, 2], [1]),
        ([1, 2], [2, 1]),
        ([1], {"0": 1}),
        ("a", ["a"]),
    ],
)
def test_it_differs(wanted: Any, found: Any) -> None:
    assert not same(wanted, found)


@given(VALUES)
def test_everything_is_the_same_as_itself(value: Any) -> None:
    assert same(value, value)


@given(VALUES, VALUES)
def test_any_two_can_be_compared(wanted: Any, found: Any) -> None:
    assert same(wanted, found) in (True, False)


@given(st.dictionaries(st.text(max_size=3), VALUES), VALUES)
def test_what_an_api_adds_is_no_difference(wanted: dict[str, Any], extra: Any) -> None:
    assert same(wanted, {**wanted, "added by the API": extra})


def test_the_fields_that_differ_are_named_in_order() -> None:
    assert differing({"b": 1, "a": 2, "c": 3}, {"b": 9, "c": 3}) == ["b", "a"]
