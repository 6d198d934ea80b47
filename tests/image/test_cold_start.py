"""The cold starts can be measured, and the page's figures are of this image."""

import re

import pytest

from tests.image.builds import Images
from tests.image.cold_start import TITLES, ColdStart, ColdStarts, measure
from tests.image.contents import Contents, contents
from tests.image.page import PAGE, filled

pytestmark = [pytest.mark.image, pytest.mark.server, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def inside(built: Images) -> Contents:
    return contents(built)


def test_every_image_takes_its_first_push(built: Images) -> None:
    """Nothing is said here of how fast: this machine may do other things as well."""
    said: list[str] = []
    found = measure(built, 1, said.append)
    assert list(found.rounds) == list(TITLES)
    for (one,) in found.rounds.values():
        assert one.wall_ms > 0
        assert one.cpu_ms > 0
    assert len(said) == 2


def test_what_is_measured_is_all_that_was_added(inside: Contents) -> None:
    parts = inside.stdlib + inside.venv + inside.app
    assert 0.9 < parts / inside.added <= 1, "the rest is what an archive adds"


def test_the_page_says_how_big_the_image_is(inside: Contents) -> None:
    said = re.search(r"\*\*together\*\*.*\*\*([\d.]+)\*\*", filled(PAGE, "contents"))
    assert said is not None
    assert float(said[1]) == pytest.approx(inside.added / 1e6, rel=0.05), (
        "run python -m tests.image"
    )


def test_the_page_has_a_row_for_every_image() -> None:
    text = filled(PAGE, "cold start")
    rounds = [ColdStart(wall, wall / 2) for wall in (100.0, 300.0, 200.0)]
    table = ColdStarts(dict.fromkeys(TITLES, rounds)).table()
    assert re.sub(r"\d[\d,.]*", "0", table) in re.sub(r"\d[\d,.]*", "0", text)
    assert "| this worker | 200 (1.00) | 100 (1.00) | 100 to 300 |\n" in table
