"""The arithmetic of the comparison."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.benchmarks.stats import percentile, ratio, spread

NUMBERS = st.lists(st.integers(0, 10**12), min_size=1).map(sorted)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.5, 50), (0.07, 7), (0.99, 99), (0.999, 100), (1.0, 100)]
)
def test_a_percentile_is_the_value_of_the_nearest_rank(share: float, expected: int) -> None:
    assert percentile(range(1, 101), share) == expected


@given(NUMBERS, st.floats(0, 1))
def test_a_percentile_is_a_value_that_enough_others_do_not_exceed(
    ordered: list[int], share: float
) -> None:
    found = percentile(ordered, share)
    assert found in ordered
    assert sum(value <= found for value in ordered) >= share * len(ordered) - 1e-6


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_a_ratio_to_nothing_is_infinite() -> None:
    assert ratio(3, 2) == 1.5
    assert ratio(3, 0) == math.inf


def test_a_spread_is_a_share_of_the_median() -> None:
    assert spread([90, 100, 120]) == pytest.approx(0.3)
    assert spread([7]) == 0
    assert spread([0, 0]) == 0
