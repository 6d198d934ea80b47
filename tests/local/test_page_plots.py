"""The geometry of the drawings: worker/local/page/plots.py."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.local.page.plots import HEIGHT, WIDTH, line, nice, stack

TONES = {"done": "green", "crashed": "red"}


@dataclass(frozen=True)
class Counted:
    start: float
    seconds: float
    counts: dict[str, int]


@pytest.mark.parametrize(
    ("value", "top"), [(0, 1), (1, 1), (7, 8), (11, 20), (0.012, 0.02), (999, 1000), (1000, 1000)]
)
def test_a_scale_ends_at_a_round_number(value: float, top: float) -> None:
    assert nice(value) == pytest.approx(top)


@given(st.floats(min_value=1e-9, max_value=1e12))
def test_a_scale_is_never_too_short_and_never_much_too_long(value: float) -> None:
    assert value * 0.9999 <= nice(value) <= value * 2.001


names = st.sampled_from(["done", "crashed", "odd"])
counted = st.dictionaries(names, st.integers(min_value=0, max_value=10**6))


@given(st.lists(counted, max_size=20))
def test_every_bar_is_inside_and_as_high_as_its_count(counts: list[dict[str, int]]) -> None:
    bars = stack([Counted(at, 1.0, each) for at, each in enumerate(counts)], TONES)
    assert bars.total == sum(sum(each.values()) for each in counts)
    for bar in bars.bars:
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH + 0.001
        assert all(piece.y >= 0 for piece in bar.pieces)
        high = sum(piece.height for piece in bar.pieces)
        least = 1.5 * len(bar.pieces)
        assert high == pytest.approx(bar.total / bars.top * HEIGHT, abs=least)


def test_pieces_are_stacked_in_the_order_of_the_tones_and_unknown_ones_are_grey() -> None:
    bars = stack([Counted(5.0, 2.0, {"odd": 1, "crashed": 1, "done": 2})], TONES)
    (bar,) = bars.bars
    assert list(bars.totals) == ["done", "crashed", "odd"]
    assert [(piece.tone, piece.y) for piece in bar.pieces] == [
        ("green", HEIGHT / 2), ("red", HEIGHT / 4), ("grey", 0.0),
    ]  # fmt: skip
    assert (bar.start, bar.end, bar.total) == (5.0, 7.0, 4)


def test_a_line_has_gaps_and_a_point_alone_is_a_dash() -> None:
    first, second = line([1.0, 2.0, None, 4.0], 4.0)
    assert first == "120.0,72.0 360.0,48.0"
    assert second == "780.0,0.0 900.0,0.0"
    assert line([None, None], 1.0) == []
