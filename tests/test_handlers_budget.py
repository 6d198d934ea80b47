"""The features that show the range stay small: three files that one reads in a sitting."""

import re

from tests.support.server import ROOT

SHOWN = ("echo", "fetch_url", "pet_weight_report")
MOST_LINES = 250  # of the three together


def test_the_features_that_show_the_range_have_fewer_lines_than_their_budget() -> None:
    texts = [(ROOT / f"handlers/{name}.py").read_text() for name in SHOWN]

    assert sum(text.count("\n") for text in texts) < MOST_LINES


def test_each_of_them_has_tests_and_a_page() -> None:
    for name in SHOWN:
        tests = (ROOT / f"tests/handlers/test_{name}.py").read_text()
        page = (ROOT / f"docs/features/{name}.md").read_text()
        assert re.search(r"^def test_", tests, re.MULTILINE)
        assert page.startswith(f"# {name}\n")
