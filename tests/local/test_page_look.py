"""Tones and trees: worker/local/page/look.py."""

import html
import json
import re
import sys

from hypothesis import given
from hypothesis import strategies as st

from worker.local.page.look import OUTCOME_TONES, SEVERITY_TONES, json_tree, outcome_tone
from worker.local.page.text import visible
from worker.outcome import OUTCOMES

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(json_values)
def test_a_tree_is_well_formed_and_its_text_is_escaped(value: object) -> None:
    drawn = str(json_tree(value))
    for tag in ("details", "ul", "li", "span", "bdi", "summary"):
        assert drawn.count(f"<{tag}") == drawn.count(f"</{tag}>")
    tags = set(re.findall(r"<[^>]*>", drawn))
    known = r'</?(details( open)?|ul|li|summary|span|bdi)( class="[a-z]+")?>'
    assert all(re.fullmatch(known, tag) for tag in tags)


@given(st.text())
def test_a_string_is_whole_in_the_tree(text: str) -> None:
    drawn = html.unescape(re.sub(r"<[^>]*>", "", str(json_tree({"key": text}))))
    assert f'key: "{visible(text)}"' in drawn


def test_what_is_too_large_or_too_deep_is_cut_and_says_so() -> None:
    assert "… 3001 more" in str(json_tree(list(range(5000))))
    deep = json.loads("[" * 200 + "]" * 200)
    assert "too deep to show" in str(json_tree(deep))
    digits = sys.get_int_max_str_digits()
    assert "very many digits" in str(json_tree(10 ** (digits + 1)))


def test_every_outcome_and_every_severity_has_a_tone() -> None:
    assert {each.name for each in OUTCOMES} <= OUTCOME_TONES.keys()
    assert len(SEVERITY_TONES) == 9
    assert outcome_tone("<b>") == "grey"
