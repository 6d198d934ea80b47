"""JSON and text for documents: nothing in them hides, and JSON means what it meant."""

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.catalog.text import as_json, visible

TEXT = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("\x00\x1b\x7f\x85\xad\u200b\u2028\u202e\u2066\ufeff\U000e0001\U000e007f")
)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@given(VALUES, st.sampled_from([None, 2]))
def test_json_for_people_is_the_same_json(value: Any, indent: int | None) -> None:
    text = as_json(value, indent=indent)
    assert json.loads(text) == value
    assert "\n" not in text or indent == 2
    assert {unicodedata.category(c) for c in text.replace("\n", "")} & {"Cc", "Zl", "Zp"} == set()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Mia 小 ü 🐈", "Mia 小 ü 🐈"),
        ("a\tb\nc", "a\tb\nc"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("\x1b[31m\x00", "\\u001b[31m\\u0000"),
        ("\U000e0041", "\\udb40\\udc41"),
        ("\ud800", "\\ud800"),
    ],
)
def test_what_cannot_be_seen_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown
