"""The Publish page in Chromium: choose, be told the mistake, correct it, publish, see the end."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.sample import SUBSCRIPTION
from tests.browser.shopping import FormVisit, environment, guarded
from tests.browser.stage import Stage, stage
from tests.browser.visit import found_by_axe, screenshot, scrolls_sideways
from worker.local.pubsub.leases import Leased
from worker.local.pubsub.push.faults import FaultSettings
from worker.local.pubsub.push.records import Attempt, Result
from worker.message import PubsubMessage

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e'`{{7*7}}</textarea>"


@dataclass
class Pushed:
    """Pushes what is published, and answers when the test says so."""

    pending: list[Attempt] = field(default_factory=list)
    messages: list[PubsubMessage] = field(default_factory=list)
    stages: list[Stage] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(8001))  # Pub/Sub repeats none

    def publish(self, topic: str, message: PubsubMessage) -> str:
        """Begin to push it."""
        self.messages.append(message)
        number = str(next(self.numbers))
        now = self.stages[0].site.clock.now()
        leased = Leased(number, number, message.data, message.attributes, "", now, 1, topic)
        attempt = Attempt(0, 0, SUBSCRIPTION, number, 1, "http://w/", now, 0.0, 0, "pending")
        self.pending.append(self.stages[0].site.deliveries.begin(leased, attempt))
        return number

    def answer(self, outcome: str) -> None:
        """The worker's answer to all of them."""
        result: Result = "ack" if outcome in ("done", "rejected") else "nack"
        for attempt in self.pending:
            self.stages[0].site.deliveries.end(
                replace(attempt, seconds=0.02, status=200, result=result, outcome=outcome)
            )
        self.pending.clear()


@pytest.fixture(scope="module")
def pushed() -> Pushed:
    return Pushed()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, pushed: Pushed) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    ours = environment(folder)
    with stage(folder, environment=ours, publish=pushed.publish) as made, guarded(made):
        pushed.stages.append(made)
        made.site.run.begin()
        yield made


@pytest.fixture
def visit(chromium: Browser, shop: Stage, pushed: Pushed) -> Iterator[Open]:
    """Open a page of the shop, with the faults off and nothing published."""
    shop.site.faults.set(FaultSettings())
    pushed.messages.clear()
    pushed.pending.clear()
    with ExitStack() as stack:
        yield lambda path, **options: stack.enter_context(
            FormVisit(chromium, shop.url, path, **options)
        )


def requirements_of(message: PubsubMessage) -> object:
    return json.loads(message.data)["requirements"]


def test_a_mistake_is_told_at_its_field_then_it_is_published_and_its_outcome_comes(
    visit: Open, pushed: Pushed
) -> None:
    page = visit("/publish")
    page.get_by_role("link", name="resize_image", exact=True).click()
    page.get_by_role("link", name="1", exact=True).click()  # the first example
    expect(page.get_by_label("source")).to_have_value("gs://uploads/harbour.jpg")
    page.get_by_label("width").fill("9000")
    page.get_by_role("button", name="Publish", exact=True).click()

    width = page.get_by_label("width")
    expect(width).to_be_focused()
    expect(width).to_have_value("9000")
    expect(width).to_have_attribute("aria-invalid", "true")
    expect(width).to_have_accessible_description(re.compile("Error: Input should be less than"))
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent.")
    assert pushed.messages == []

    width.fill("640")
    page.get_by_role("checkbox", name="crop").check()
    page.get_by_label("left").fill("12")
    page.get_by_role("button", name="Publish", exact=True).click()
    sent = page.locator("#sent")
    expect(sent).to_be_focused()
    expect(sent).to_contain_text("Published 1 message")
    expect(sent).to_contain_text("pending")
    pushed.answer("done")
    expect(sent).to_contain_text("Nothing more will happen.")
    expect(sent.locator(".badge")).to_have_text("done")
    screenshot(page, "publish")
    assert requirements_of(pushed.messages[0]) == {
        "source": "gs://uploads/harbour.jpg",
        "width": 640,
        "format": "webp",
        "quality": 0.8,
        "sharpen": False,
        "tags": [],
        "crop": {"left": 12, "top": 0, "square": False},
    }
    sent.get_by_role("link", name="8001").click()
    expect(page).to_have_url(re.compile("/deliveries/[0-9]+$"))


def test_a_message_that_is_nacked_is_watched_further(visit: Open, pushed: Pushed) -> None:
    page = visit("/publish?feature=heartbeat")
    page.get_by_role("button", name="Publish", exact=True).click()
    pushed.answer("retry")
    expect(page.locator("#sent .badge")).to_have_text("retry")
    expect(page.locator("#sent")).to_contain_text("Watching")


def test_what_the_worker_would_reject_can_be_sent_anyway(visit: Open, pushed: Pushed) -> None:
    page = visit("/publish?feature=resize_image&example=0")
    page.get_by_label("width").fill("0")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.get_by_role("button", name="Send it anyway").click()
    expect(page.locator("#sent")).to_contain_text("Published 1 message")
    assert len(pushed.messages) == 1


def test_the_message_and_its_command_follow_what_is_typed(visit: Open) -> None:
    page = visit("/publish?feature=note")
    page.get_by_label("requirements").fill("bonjour")
    preview = page.locator("#preview")
    expect(preview.get_by_label("Payload")).to_contain_text('"requirements": "bonjour"')
    expect(preview.locator(".command code")).to_contain_text("--message='{")
    page.get_by_text("Attributes and ordering key").click()
    page.get_by_label("Attributes").fill("tenant=a")
    expect(preview.locator(".command code")).to_contain_text("--attribute=tenant=a")


def test_without_scripts_it_can_be_published_too(visit: Open, pushed: Pushed) -> None:
    page = visit("/publish?feature=note", script=False)
    page.get_by_label("requirements").fill("by hand")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#sent")).to_contain_text("Published 1 message")
    assert requirements_of(pushed.messages[0]) == "by hand"


def test_the_form_is_walked_through_with_the_keyboard(visit: Open, pushed: Pushed) -> None:
    page = visit("/publish?feature=smoke_test")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.name") == "requirements/nonce":
            break
    page.keyboard.type("n-1")
    page.keyboard.press("Tab")
    expect(page.get_by_label("description")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#sent")).to_contain_text("Published 1 message")
    assert requirements_of(pushed.messages[0]) == {"nonce": "n-1"}


def test_faults_are_set_seen_in_the_header_and_switched_off(visit: Open, shop: Stage) -> None:
    page = visit("/publish?feature=note")
    faults = page.locator("#faults")
    faults.get_by_role("switch", name="Pause").check()
    faults.get_by_label("Duplicate").fill("25")
    faults.get_by_role("button", name="Set").click()
    expect(page.locator("header")).to_contain_text("Faults on")
    assert shop.site.faults.get() == FaultSettings(duplicate=0.25, paused=True)
    expect(page.locator("#form-title")).to_have_text("note")
    page.locator("#faults").get_by_role("button", name="All off").click()
    expect(page.locator("header")).not_to_contain_text("Faults on")
    assert shop.site.faults.get() == FaultSettings()


def test_hostile_handlers_and_hostile_values_are_text(visit: Open, pushed: Pushed) -> None:
    page = visit("/publish?feature=hostile")
    page.get_by_label("description", exact=False).last.fill(EVIL)
    page.get_by_text("Attributes and ordering key").click()
    page.get_by_label("Attributes").fill(f"{EVIL}={EVIL}")
    page.get_by_label("Ordering key").fill(EVIL)
    expect(page.locator("#preview")).to_contain_text("ordering key")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#sent")).to_contain_text("Published 1 message")
    assert page.locator("main script, main img").count() == 0
    assert json.loads(pushed.messages[0].data)["description"] == EVIL
    expect(page.get_by_label("Ordering key")).to_have_value(EVIL)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("feature", ["resize_image", "send_invoice", ""])
def test_axe_finds_nothing_serious(visit: Open, scheme: str, feature: str) -> None:
    page = visit(f"/publish?feature={feature}", scheme=scheme)
    for summary in page.locator("details > summary").all():
        summary.click()
    for box in page.locator("fieldset.switched > legend input").all():
        box.check()
    assert found_by_axe(page) == []
    page.get_by_label("Copies").fill("0")
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_label("Copies")).to_be_focused()
    assert found_by_axe(page) == []


@pytest.mark.parametrize("path", ["/publish?feature=hostile", "/publish?feature=resize_image"])
def test_it_fits_a_narrow_screen(visit: Open, path: str, pushed: Pushed) -> None:
    page = visit(path, width=390)
    assert not scrolls_sideways(page)
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.locator("#sent, #problems").first).to_be_visible()
    assert not scrolls_sideways(page)
