"""A small run of the load: nothing is timed, and everything arrives exactly once."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.laptop_cloud import Figures, measure
from tests.differential.running import RunningCloud

MESSAGES = 500


@pytest.mark.server
def test_every_message_is_handled_once_and_logged_while_somebody_looks_at_the_page(
    tmp_path: Path,
) -> None:
    with RunningCloud(tmp_path) as cloud:
        figures = measure(cloud, MESSAGES)

    assert (figures.lost, figures.more_than_once, figures.acked) == (0, 0, MESSAGES)
    assert figures.page_requests > 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("logged_seconds", 61.0),
        ("lost", 1),
        ("more_than_once", 1),
        ("acked", 9),
        ("page_p95_seconds", 0.6),
    ],
)
def test_each_goal_can_be_missed(field: str, value: Any) -> None:
    good = Figures(10, 1.0, 59.0, 0, 0, 10, 3, 0.1, 0.4, 0.9)

    assert all(good.verdicts().values())
    bad = replace(good, **{field: value})
    assert list(bad.verdicts().values()).count(False) == 1
