"""Values as text for people: worker/local/page/text.py."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.local.page.text import (
    ago,
    clock_minute,
    clock_second,
    clock_time,
    cut,
    duration,
    iso,
    size,
    visible,
)

NOON = 1_780_056_000.25  # 2026-05-29T12:00:00.250Z


@given(st.text(alphabet=st.characters()))
def test_nothing_hidden_is_left_in_a_visible_text(text: str) -> None:
    left = visible(text)
    assert not any(
        unicodedata.category(each) in ("Cc", "Cs") and each not in "\t\n" for each in left
    )
    assert not any(each in left for each in "\u200e\u200f\u202a\u202b\u202d\u202e\u2066\u2069")
    left.encode()


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S"])))
def test_a_text_without_hidden_characters_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a\x00b", "a␀b"), ("\x1b[31m", "␛[31m"), ("\u202e", "⟨U+202E⟩"), ("\ud800", "⟨U+D800⟩")],
)
def test_a_hidden_character_is_named(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0, "0 µs"), (0.00085, "850 µs"), (0.0123, "12.3 ms"), (0.9994, "999 ms"),
        (0.9996, "1 s"), (1.204, "1.2 s"), (59.99, "60 s"), (125, "2 min 5 s"),
        (11_050, "3 h 4 min"), (-0.5, "-500 ms"),
    ],
)  # fmt: skip
def test_a_duration_has_a_fitting_unit(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize(
    ("count", "said"), [(0, "0 bytes"), (1023, "1023 bytes"), (1536, "1.5 KiB"), (3 << 20, "3 MiB")]
)
def test_a_size_has_a_fitting_unit(count: int, said: str) -> None:
    assert size(count) == said


def test_times_are_utc_and_have_a_date_on_other_days_only() -> None:
    assert iso(NOON) == "2026-05-29T12:00:00.250Z"
    assert clock_time(NOON, NOON + 60) == "12:00:00.250"
    assert clock_time(NOON, NOON + 90_000) == "2026-05-29 12:00:00.250"
    assert clock_second(NOON, NOON) == "12:00:00"
    assert clock_minute(NOON) == "12:00"


@given(st.floats())
def test_any_number_is_some_time(seconds: float) -> None:
    assert iso(seconds).endswith("Z")
    assert clock_time(seconds)


@pytest.mark.parametrize(
    ("passed", "said"),
    [(0.4, "just now"), (12, "12 s ago"), (200, "3 min ago"), (7300, "2 h ago"), (2e5, "2 d ago")],
)
def test_how_long_ago(passed: float, said: str) -> None:
    assert ago(NOON - passed, NOON) == said


def test_a_cut_text_says_so() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abcd", 4) == "abcd"
