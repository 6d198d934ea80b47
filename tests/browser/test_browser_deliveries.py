"""The list of deliveries and the page of one, as a browser shows them."""

import itertools
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.hostile import EVERYTHING, assert_harmless
from tests.browser.sample import Told, payload
from tests.browser.stage import Stage, served, stage
from tests.browser.visit import Visit, found_by_axe, open_all, screenshot, scrolls_sideways
from worker.local.pubsub.push.faults import FaultSettings

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
INVOICE = Told(
    payload("send_invoice"), ("unreachable", "crashed", "crashed", "done"),
    {"source": "shop", "tenant": "t4"}, "send_invoice", "C-20417", ago=8, seconds=0.021,
)  # fmt: skip


def row(page: Page, delivery_id: int) -> str:
    return page.locator(f"#delivery-{delivery_id}").inner_text()


def test_each_delivery_is_a_row_with_its_outcome_and_what_is_in_it(
    live: Stage, visit: Open
) -> None:
    for feature, outcome in (
        ("resize_image", "rejected"), ("smoke_test", "done"), ("sync_contact", "retry"),
        ("smoke_test", "duplicate"), ("resize_image", "timed_out"), ("sync_contact", "pending"),
    ):  # fmt: skip
        live.sample.message(Told(payload(feature), (outcome,), feature=feature, ago=6))
    number = live.sample.message(INVOICE)
    page = visit("/")
    shown = row(page, number)
    for text in ("done", "send_invoice", "From the shop", "4"):
        assert text in shown
    assert page.locator("#rows > tr").count() == 50
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    screenshot(page, "deliveries")


def test_a_new_delivery_appears_by_itself_and_its_outcome_follows(live: Stage, visit: Open) -> None:
    page = visit("/")
    page.evaluate("window.same = true")
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    told = Told(payload("sync_contact"), ("pending",), feature="sync_contact")
    number = live.sample.message(told)
    expect(page.locator(f"#rows > tr:first-child#delivery-{number}")).to_contain_text("pending")
    live.sample.finish(number, "crashed", told)
    expect(page.locator(f"#delivery-{number}")).to_contain_text("crashed")
    expect(page.locator("#plot-desc")).to_contain_text("pushes")
    assert page.locator("#rows > tr").count() == 50
    assert page.evaluate("window.same")


class Line:
    """Between the browser and the page: the streams of events break while it is down."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.down = threading.Event()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        if not environ["PATH_INFO"].endswith("/events"):
            return self._app(environ, start)  # type: ignore[no-any-return]
        if self.down.is_set():
            start("503 Service Unavailable", [])
            return [b""]
        return self._while_up(self._app(environ, start))

    def _while_up(self, chunks: Any) -> Iterator[bytes]:
        with closing(chunks):
            yield from itertools.takewhile(lambda _: not self.down.is_set(), chunks)


def test_what_happened_while_the_connection_was_lost_is_shown_when_it_is_back(
    empty: Stage, visit: Open
) -> None:
    told = Told(payload("smoke_test"), ("pending",))
    first = empty.sample.message(told)
    app: Any = empty.app
    line = app.wsgi_app = Line(app.wsgi_app)
    page = visit("/", forgives="status of 503")
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    line.down.set()
    empty.sample.finish(first, "done", told)
    second = empty.sample.message(told)
    expect(page.locator("[data-live-state]")).to_have_text("Reconnecting")
    expect(page.locator(f"#delivery-{first}")).to_contain_text("pending")
    line.down.clear()
    expect(page.locator(f"#delivery-{second}")).to_contain_text("pending")
    expect(page.locator(f"#delivery-{first}")).to_contain_text("done")


def test_a_filter_is_in_the_address_and_survives_a_reload(live: Stage, visit: Open) -> None:
    number = live.sample.message(Told(b'{"feature":"smoke_test","description":"needle-7"}'))
    page = visit("/")
    page.get_by_label("Text in the message").fill("needle-7")
    expect(page.locator("#rows > tr")).to_have_count(1)
    assert "q=needle-7" in page.url
    page.reload()
    expect(page.locator("#rows > tr")).to_have_count(1)
    assert "needle-7" in row(page, number)
    page.get_by_label("Outcome", exact=True).select_option("crashed")
    expect(page.get_by_text("No message matches")).to_be_visible()
    page.go_back()
    expect(page.locator("#rows > tr")).to_have_count(1)


def test_a_delivery_that_matches_no_longer_leaves_the_filtered_list(
    live: Stage, visit: Open
) -> None:
    told = Told(payload("smoke_test"), ("pending",))
    number = live.sample.message(told)
    page = visit("/?outcome=pending")
    expect(page.locator("#rows > tr")).to_have_count(1)
    live.sample.finish(number, "done", told)
    expect(page.locator("#rows > tr")).to_have_count(0)
    expect(page.get_by_text("No message matches")).to_be_visible()


def test_older_deliveries_are_on_further_pages(live: Stage, visit: Open) -> None:
    page = visit("/")
    page.get_by_role("link", name="Older").click()
    page.wait_for_url("**before=*")
    expect(page.locator("#rows > tr")).to_have_count(50)
    page.get_by_role("link", name="Newest").click()
    expect(page).to_have_url(f"{live.url}/")


def test_an_empty_list_says_what_to_do_and_the_command_is_copied(visit: Open) -> None:
    page = visit("/")
    expect(page.get_by_text("Nothing was pushed yet")).to_be_visible()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("python -m worker publish --topic features")
    expect(page.get_by_role("button", name="Copy")).to_be_visible()


def test_one_delivery_shows_its_attempts_payload_and_entries(live: Stage, visit: Open) -> None:
    number = live.sample.message(INVOICE)
    page = visit(f"/deliveries/{number}")
    outcomes = page.locator(".attempts > li .attempt-outcome").all_inner_texts()
    assert outcomes == ["unreachable", "crashed", "crashed", "done"]
    page.locator(".attempts > li > details > summary").nth(1).click()
    opened = page.locator(".attempts > li").nth(1)
    for text in ("ConnectionResetError", "Bearer …", "traceparent", "nacked"):
        expect(opened).to_contain_text(text)
    expect(page.locator("#entries .entry")).to_have_count(4)
    for text in ('"129.90"', "C-20417", "gcloud pubsub topics publish features"):
        expect(page.locator("main")).to_contain_text(text)
    screenshot(page, "delivery")


def test_an_attempt_that_ends_is_shown_by_itself_and_what_was_opened_stays_open(
    live: Stage, visit: Open
) -> None:
    told = Told(payload("send_invoice"), ("crashed", "pending"), feature="send_invoice")
    number = live.sample.message(told)
    page = visit(f"/deliveries/{number}")
    page.locator(".attempts > li > details > summary").first.click()
    live.sample.finish(number, "done", told)
    expect(page.locator("#state")).to_contain_text("done")
    expect(page.locator(".attempts > li").nth(1)).to_contain_text("done")
    expect(page.locator(".attempts > li > details").first).to_have_attribute("open", "")
    expect(page.locator("#entries .entry")).to_have_count(3)


def test_the_buttons_deliver_again_and_publish_a_copy(live: Stage, visit: Open) -> None:
    number = live.sample.message(INVOICE)
    page = visit(f"/deliveries/{number}")
    page.get_by_role("button", name="Deliver again").click()
    expect(page.get_by_text("It is being delivered again")).to_be_visible()
    assert live.asked.redelivered == [number]
    page.get_by_role("button", name="Publish a copy").click()
    expect(page.get_by_role("link", name="7001")).to_be_visible()
    ((_, message),) = live.asked.published
    assert json.loads(message.data) == json.loads(payload("send_invoice"))
    assert (message.attributes, message.ordering_key) == (INVOICE.attributes, "C-20417")


def test_what_the_emulator_delivers_is_explained(chromium: Browser, tmp_path: Path) -> None:
    with stage(tmp_path, emulated=True) as made, served(made):
        number = made.sample.message(INVOICE)
        for path in ("/", f"/deliveries/{number}"):
            with Visit(chromium, made.url, path) as page:
                text = page.get_by_text(re.compile("Google's emulator delivers"))
                expect(text.first).to_be_visible()


def hostile(value: str, data: bytes) -> Told:
    return Told(
        data, ("crashed", "rejected"), {value: value, "x": value}, value, value,
        reason=value, message_id=f"{value}-{len(data)}", answered={value: value, "x": value},
    )  # fmt: skip


def test_a_hostile_message_is_only_text(empty: Stage, visit: Open) -> None:
    page = visit("/")
    for value in EVERYTHING:
        content = {"feature": value, "description": value, value: [value, {value: value}]}
        number = empty.sample.message(hostile(value, json.dumps(content).encode()))
        page.goto(f"{empty.url}/deliveries/{number}")
        open_all(page)
        assert_harmless(page)
        assert not scrolls_sideways(page)
        empty.sample.message(hostile(value, value.encode()))
        empty.sample.message(hostile(value, b"\xff\xfe" + value.encode()))
    page.goto(empty.url)
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    assert page.locator("#rows > tr").count() == 3 * len(EVERYTHING)
    assert_harmless(page)
    assert not scrolls_sideways(page)


def test_hidden_characters_are_made_visible(live: Stage, visit: Open) -> None:
    number = live.sample.message(Told(b"bell \x07, override \xe2\x80\xae."))
    page = visit(f"/deliveries/{number}")
    expect(page.get_by_label("Payload as text")).to_have_text("bell ␇, override ⟨U+202E⟩.")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(empty: Stage, visit: Open, scheme: str) -> None:
    empty.site.faults.set(FaultSettings(duplicate=0.2))
    empty.sample.fill(8)
    number = empty.sample.message(INVOICE)
    page = visit("/", scheme=scheme)
    for path in ("/", "/?q=nothing-has-this", f"/deliveries/{number}"):
        page.goto(empty.url + path)
        open_all(page)
        assert found_by_axe(page) == []


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_is_wider_than_the_screen(live: Stage, visit: Open, width: int) -> None:
    number = live.sample.message(INVOICE)
    for path in ("/", f"/deliveries/{number}"):
        page = visit(path, width=width)
        open_all(page)
        assert not scrolls_sideways(page)


def test_the_keyboard_reaches_everything(live: Stage, visit: Open) -> None:
    number = live.sample.message(INVOICE)
    page = visit(f"/deliveries/{number}")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    for _ in range(4):  # the crumb, two buttons, the first attempt
        page.keyboard.press("Tab")
    expect(page.locator(".attempts > li > details > summary").first).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".attempts > li > details").first).to_have_attribute("open", "")


def test_the_colours_that_were_chosen_are_kept(live: Stage, visit: Open) -> None:
    page = visit("/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    toggle = page.get_by_role("button", name="Colours")
    toggle.click()
    toggle.click()
    expect(toggle).to_have_accessible_name("Colours: dark")
    page.reload()
    expect(page.get_by_role("button", name="Colours")).to_have_accessible_name("Colours: dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_without_a_script_the_pages_can_be_read_and_the_filter_used(
    live: Stage, visit: Open
) -> None:
    number = live.sample.message(INVOICE)
    page = visit("/", script=False)
    assert page.locator("#rows > tr").count() == 50
    expect(page.locator("[data-live-state]")).to_be_hidden()
    page.get_by_label("Outcome", exact=True).select_option("rejected")
    page.get_by_role("button", name="Find").click()
    page.wait_for_url("**outcome=rejected*")
    assert 0 < page.locator("#rows > tr").count() < 50
    page.goto(f"{live.url}/deliveries/{number}")
    page.get_by_role("button", name="Deliver again").click()
    assert live.asked.redelivered == [number]


def test_the_header_tells_of_the_worker_and_of_faults(live: Stage, visit: Open) -> None:
    page = visit("/")
    expect(page.locator("#head-state")).to_contain_text("serving")
    expect(page.get_by_role("link", name="Faults on")).to_have_count(0)
    live.site.faults.set(FaultSettings(paused=True))
    expect(page.get_by_role("link", name="Faults on")).to_be_visible()
