"""The Logs Explorer, as a browser shows it."""

import json
import shlex
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.hostile import EVERYTHING, assert_harmless
from tests.browser.sample import Told, payload
from tests.browser.stage import Stage
from tests.browser.visit import found_by_axe, open_all, screenshot, scrolls_sideways

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


def query_of(url: str) -> str:
    return parse_qs(urlsplit(url).query).get("query", [""])[0].replace("\r", "")


def wait_for_query(page: Page, query: str) -> None:
    """Wait until the page with this query is there, all of it: a click returns before."""
    page.wait_for_url(lambda url: query_of(url) == query)


def texts(page: Page) -> list[str]:
    return page.locator("#rows .entry-text").all_inner_texts()


def test_a_query_finds_its_entries_and_lives_in_the_address(live: Stage, visit: Open) -> None:
    page = visit("/logs")
    assert page.locator("#rows .entry").count() == 100
    box = page.get_by_label("Query, in the Logging query language")
    box.fill('severity>=ERROR\njsonPayload.feature="send_invoice"')
    box.press("Control+Enter")
    wait_for_query(page, box.input_value())
    found = texts(page)
    assert found
    assert all(text.startswith("send_invoice: crashed") for text in found)
    page.reload()
    assert texts(page) == found


def test_a_mistake_is_shown_where_it_is(live: Stage, visit: Open) -> None:
    mistaken = quote("severity>=ERROR\n)")
    page = visit(f"/logs?query={mistaken}", status=400)
    box = page.get_by_label("Query, in the Logging query language")
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(page.locator("#mistake")).to_contain_text("line 2, column 1")
    assert page.locator(".caret").inner_text().split("\n") == [")", "^"]
    box.fill("severity>=ERROR")
    page.get_by_role("button", name="Run query").click()
    wait_for_query(page, "severity>=ERROR")
    expect(page.locator("#mistake")).to_have_count(0)
    assert texts(page)


def test_a_facet_adds_a_line_to_the_query_and_takes_it_away_again(live: Stage, visit: Open) -> None:
    page = visit("/logs")
    facets = page.get_by_label("Fields")
    facets.get_by_role("link", name="ERROR").click()
    wait_for_query(page, "severity=ERROR")
    facets.get_by_role("link", name="crashed").click()
    wait_for_query(page, 'severity=ERROR\njsonPayload.outcome="crashed"')
    assert all("crashed" in text for text in texts(page))
    facets.get_by_role("link", name="crashed").click()
    facets.get_by_role("link", name="ERROR").click()
    wait_for_query(page, "")


def test_a_bar_of_the_histogram_narrows_the_time(live: Stage, visit: Open) -> None:
    page = visit("/logs?range=15m")
    bar = page.locator(".plot a").last
    expected = int((bar.get_attribute("aria-label") or "").split()[-2])
    bar.click(position={"x": 2, "y": 10})
    page.wait_for_url("**since=*")
    assert page.locator("#rows .entry").count() == expected
    page.get_by_label("Remove the time").click()
    page.wait_for_url(lambda url: "since" not in url)


def test_an_entry_opens_by_keyboard_as_a_tree_and_its_json_is_copied(
    live: Stage, visit: Open
) -> None:
    page = visit("/logs?query=jsonPayload.event%3D%22message.processed%22")
    entry = page.locator("#rows .entry").first
    entry.locator("summary").first.focus()
    page.keyboard.press("Enter")
    expect(entry).to_contain_text("logName")
    entry.get_by_role("button", name="Copy JSON").click()
    copied = json.loads(page.evaluate("navigator.clipboard.readText()"))
    assert copied["jsonPayload"]["event"] == "message.processed"
    screenshot(page, "logs")


def test_the_same_query_is_copied_for_gcloud_and_linked_to_logs_explorer(
    live: Stage, visit: Open
) -> None:
    page = visit("/logs?query=severity%3E%3DWARNING&range=all")
    page.get_by_role("button", name="Copy as gcloud command").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    words = shlex.split(page.evaluate("navigator.clipboard.readText()"))
    assert words[:4] == ["gcloud", "logging", "read", 'severity>="WARNING"']
    link = page.get_by_role("link", name="Open in Logs Explorer")
    assert (link.get_attribute("href") or "").startswith("https://console.cloud.google.com/logs/")


def test_a_live_tail_puts_new_entries_on_top(live: Stage, visit: Open) -> None:
    page = visit("/logs?query=severity%3E%3DWARNING")
    page.get_by_role("switch", name="Live tail").click()
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    page.locator("#rows .entry > summary").nth(1).click()
    live.sample.message(Told(payload("smoke_test")))  # INFO: not for this query
    live.sample.message(Told(payload("smoke_test"), ("rejected",), reason="the one", ago=0))
    expect(page.locator("#rows .entry").first).to_contain_text("the one")
    expect(page.locator("#rows .entry[open]")).to_have_count(1)
    page.get_by_role("switch", name="Stop the tail").click()
    page.wait_for_url(lambda url: "live" not in url)


def test_pages_neither_repeat_nor_skip(live: Stage, visit: Open) -> None:
    page = visit("/logs?query=jsonPayload.event%3D%22message.processed%22")
    seen: list[str] = page.locator("#rows .entry").evaluate_all("all => all.map(each => each.id)")
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**cursor=*")
    seen += page.locator("#rows .entry").evaluate_all("all => all.map(each => each.id)")
    assert len(seen) == len(set(seen)) > 150


def test_a_time_without_entries_says_what_to_do(visit: Open) -> None:
    page = visit("/logs")
    expect(page.get_by_text("Nothing was logged in this time")).to_be_visible()
    page = visit("/logs?query=severity%3DALERT")
    page.get_by_role("link", name="Look at all times").click()
    page.wait_for_url("**range=all*")


def test_a_hostile_entry_is_only_text(empty: Stage, visit: Open) -> None:
    for value in EVERYTHING:
        fields = {"message": value, "feature": value, "outcome": value, value: [value]}
        empty.site.run.line(json.dumps(fields).encode(), "stdout")
        empty.site.run.line(value.encode(), "stderr")
        name = f"projects/demo/logs/{value[:200]}"
        empty.site.logs.write([{"logName": name, "insertId": value, "textPayload": value}])
    page = visit("/logs?live=1")
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    open_all(page)
    assert page.locator("#rows > .entry").count() == 3 * len(EVERYTHING)
    assert_harmless(page)
    assert not scrolls_sideways(page)


def test_a_hostile_query_is_only_text(empty: Stage, visit: Open) -> None:
    page = visit("/logs?query=)", status=400)
    for value in EVERYTHING:
        mistaken, right = quote(f"( {value}"), quote(f"jsonPayload.a={json.dumps(value)}")
        page.goto(f"{empty.url}/logs?query={mistaken}")
        expect(page.locator("#mistake")).to_be_visible()
        assert_harmless(page)
        page.goto(f"{empty.url}/logs?query={right}&since={quote(value)}&cursor={quote(value)}")
        assert_harmless(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(empty: Stage, visit: Open, scheme: str) -> None:
    empty.sample.fill(2)
    page = visit("/logs?query=)", scheme=scheme, status=400)
    for path in ("", "?query=)", "?query=severity%3DALERT&live=1"):
        page.goto(f"{empty.url}/logs{path}")
        open_all(page)
        assert found_by_axe(page) == []


def test_the_page_has_dark_colours(live: Stage, visit: Open) -> None:
    page = visit("/logs?query=severity%3E%3DINFO", scheme="dark")
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert colour == "rgb(14, 16, 20)"
    screenshot(page, "logs-dark")


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_screen(live: Stage, visit: Open, width: int) -> None:
    for path, status in (("/logs?live=1", 200), (f"/logs?query={'x' * 500})", 400)):
        page = visit(path, width=width, status=status)
        open_all(page)
        assert not scrolls_sideways(page)


def test_without_a_script_the_query_runs(live: Stage, visit: Open) -> None:
    page = visit("/logs", script=False)
    page.get_by_label("Query, in the Logging query language").fill("severity=ERROR")
    page.get_by_role("button", name="Run query").click()
    wait_for_query(page, "severity=ERROR")
    assert texts(page)
