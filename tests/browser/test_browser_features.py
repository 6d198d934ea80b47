"""The Features page in Chromium."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shopping import FormVisit, environment, guarded
from tests.browser.stage import Stage, stage
from tests.browser.visit import found_by_axe, screenshot, scrolls_sideways

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    with stage(folder, environment=environment(folder)) as made, guarded(made):
        made.sample.fill()
        yield made


@pytest.fixture
def visit(chromium: Browser, shop: Stage) -> Iterator[Open]:
    with ExitStack() as stack:
        yield lambda path, **options: stack.enter_context(
            FormVisit(chromium, shop.url, path, **options)
        )


def test_from_the_list_to_a_feature_to_its_form(visit: Open) -> None:
    page = visit("/features")
    page.get_by_role("link", name="resize_image", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("resize_image")
    width = page.locator("tr", has=page.get_by_role("rowheader", name="width", exact=True))
    expect(width).to_contain_text("from 1 to 8192")
    expect(page.get_by_label("Example payload")).to_contain_text("gs://uploads/harbour.jpg")
    screenshot(page, "features")
    page.get_by_text("JSON Schema", exact=True).click()
    expect(page.get_by_label("JSON Schema")).to_contain_text('"exclusiveMinimum": 0')
    page.get_by_role("link", name="Publish one").click()
    expect(page.get_by_label("width")).to_be_visible()


def test_a_feature_leads_to_its_entries_in_the_logs(visit: Open) -> None:
    page = visit("/features/smoke_test")
    page.get_by_role("link", name="In the logs").click()
    expect(page.locator("#query, [name=query]").first).to_have_value(
        'jsonPayload.event="message.processed"\njsonPayload.feature="smoke_test"'
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/features", "/features/resize_image", "/features/smoke_test", "/features/hostile"]
)
def test_axe_finds_nothing_serious_and_nothing_runs(visit: Open, path: str, scheme: str) -> None:
    page = visit(path, scheme=scheme)
    for summary in page.locator("main details > summary").all():
        summary.click()
    assert page.locator("main script, main img").count() == 0
    assert found_by_axe(page) == []


@pytest.mark.parametrize(
    "path", ["/features", "/features/hostile", "/features/resize_image", "/features/smoke_test"]
)
def test_it_fits_a_narrow_screen(visit: Open, path: str) -> None:
    assert not scrolls_sideways(visit(path, width=390))


def test_a_feature_that_is_not_there_is_told(visit: Open) -> None:
    page = visit("/features/nope", status=404)
    expect(page.get_by_role("alert")).to_contain_text("no feature is called nope")
