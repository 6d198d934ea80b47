"""The exported catalogue, opened as a file in Chromium."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.visit import Visit, found_by_axe, open_all, screenshot, scrolls_sideways
from tests.catalog.zoo import HOSTILE, ZOO
from worker.catalog.commands import Where
from worker.catalog.described import describe
from worker.catalog.page import html_of
from worker.registry import load

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("catalog")
    described = [describe(one) for one in ZOO]
    (made / "catalog.html").write_text(html_of(described, Where("pets", "vet", "my-project")))
    ours = [describe(one) for one in load("handlers").all()]
    (made / "ours.html").write_text(html_of(ours, Where()))
    return made


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Open]:
    """Open it; afterwards: no dialog, no error in its console, no request to anybody else."""
    with ExitStack() as stack:
        yield lambda path="/catalog.html", **options: stack.enter_context(
            Visit(chromium, folder.as_uri(), path, **options)
        )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_and_nothing_runs(visit: Open, scheme: str, width: int) -> None:
    page = visit(scheme=scheme, width=width)
    open_all(page)
    assert found_by_axe(page) == []
    assert page.evaluate("window.pwned === undefined")
    assert page.locator("main script, main img, main b").count() == 0


def test_both_colour_schemes_are_drawn(visit: Open) -> None:
    background = "getComputedStyle(document.body).backgroundColor"
    light, dark = visit(scheme="light"), visit(scheme="dark")
    assert light.evaluate(background) == "rgb(247, 248, 250)"
    assert dark.evaluate(background) == "rgb(14, 16, 20)"


def test_our_own_features_are_on_theirs(visit: Open) -> None:
    page = visit("/ours.html")
    expect(page.get_by_role("heading", level=2, name="smoke_test")).to_be_visible()
    screenshot(page, "catalog")


def test_it_fits_a_narrow_screen(visit: Open) -> None:
    page = visit(width=390)
    open_all(page)
    assert not scrolls_sideways(page)


def test_hostile_text_is_shown_as_it_is(visit: Open) -> None:
    shown = visit().locator("#hostile .lede")
    expect(shown).to_have_text(HOSTILE.replace("\u202e", "\\u202e").replace("\x07", "\\u0007"))


def test_the_search_leaves_what_has_all_its_words(visit: Open) -> None:
    page = visit()
    page.get_by_label("Search").fill("scales WEIGHT_KG")
    expect(page.locator("article:visible")).to_have_count(1)
    expect(page.locator("nav li:visible")).to_have_text("pet")
    expect(page.get_by_role("status")).to_have_text(f"1 of {len(ZOO)}")
    page.get_by_label("Search").press("Escape")
    expect(page.locator("article:visible")).to_have_count(len(ZOO))


def test_a_search_that_finds_nothing_can_be_undone(visit: Open) -> None:
    page = visit()
    page.get_by_label("Search").fill("unicorn")
    expect(page.locator("article:visible")).to_have_count(0)
    page.get_by_role("button", name="Show all").click()
    expect(page.locator("article:visible")).to_have_count(len(ZOO))
    expect(page.get_by_label("Search")).to_be_focused()


def test_without_javascript_it_says_the_same_and_offers_no_search(visit: Open) -> None:
    page = visit(script=False)
    expect(page.locator("article:visible")).to_have_count(len(ZOO))
    expect(page.locator("input:visible, button:visible")).to_have_count(0)
    page.get_by_role("link", name="pet", exact=True).click()
    assert page.url.endswith("#pet")
    page.locator("#pet summary").first.click()
    expect(page.get_by_label("JSON Schema of pet")).to_be_visible()


def test_a_command_can_be_copied(visit: Open) -> None:
    page = visit()
    command = page.get_by_label("Command that publishes say", exact=True)
    page.get_by_role("button", name="Copy: Command that publishes say").click()
    assert page.evaluate("navigator.clipboard.readText()") == command.text_content()


def test_the_link_leads_to_the_query_in_logs_explorer(visit: Open) -> None:
    link = visit().get_by_role("link", name="Open pet in Logs Explorer")
    target = link.get_attribute("href")
    assert target is not None
    assert target.startswith("https://console.cloud.google.com/logs/query;query=resource.type")
    assert target.endswith("?project=my-project")
