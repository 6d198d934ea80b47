"""The Quarantine page in Chromium: look, replay what passes, drop the rest."""

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.shopping import FormVisit, environment, guarded
from tests.browser.stage import stage
from tests.browser.visit import found_by_axe, screenshot, scrolls_sideways
from tests.support.desk import reject
from tests.support.standin import Call, Reply, StandIn
from worker.quarantine.folder import FolderQuarantine

pytestmark = pytest.mark.browser

Open = Callable[..., Page]
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e\"'`"
PAYLOADS = (
    {"feature": "smoke_test", "description": "after the deploy"},
    {"feature": "resize_image", "requirements": {"source": "gs://uploads/lake.png", "width": 640}},
    {"feature": "resize_image", "requirements": {"source": "gs://uploads/bay.png", "width": -1}},
    {"feature": "resise_image", "requirements": {"width": 5}},
)


OURS = environment(Path())  # QUARANTINE=folder:quarantine


def answering(call: Call) -> Reply:
    """A worker that handles all, and finds the sharpening too much for one."""
    payload = json.loads(base64.b64decode(call.json()["message"]["data"]))
    if payload["feature"] == "smoke_test":
        return Reply.json({"outcome": "done", "reason": "handled by smoke_test"})
    return Reply.json({"outcome": "rejected", "reason": "the picture is gone"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number, payload in enumerate(PAYLOADS):
        reject(FolderQuarantine(tmp_path / "quarantine"), payload, f"{1041 + number}")
    return tmp_path / "quarantine"


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Open]:
    with (
        StandIn(answering) as worker,
        stage(folder.parent, environment=OURS, worker_url=lambda: worker.url) as made,
        guarded(made),
        ExitStack() as stack,
    ):
        made.site.run.begin()
        yield lambda path, **options: stack.enter_context(
            FormVisit(chromium, made.url, path, **options)
        )


def test_those_that_pass_are_replayed_and_one_is_dropped(visit: Open, folder: Path) -> None:
    page = visit("/quarantine")
    expect(page.get_by_role("heading", name="4 messages")).to_contain_text("2 would pass now")
    screenshot(page, "quarantine")
    page.get_by_role("button", name="Replay all that pass").click()
    done = page.locator("#done")
    expect(done).to_be_focused()
    expect(done).to_contain_text("done (200): handled by smoke_test")
    expect(done).to_contain_text("rejected (200): the picture is gone")
    expect(done).to_contain_text("replayed 1 of 2; 1 stay")
    expect(page.get_by_role("heading", name="3 messages")).to_be_visible()

    page.locator("tr", has_text="resise_image").get_by_role("checkbox").check()
    page.get_by_role("button", name="Drop chosen").click()
    expect(page.get_by_role("link", name="Keep")).to_be_focused()
    page.get_by_role("button", name="Drop").click()
    expect(page.locator("#done")).to_contain_text("dropped 1 of 1")
    assert len(list(folder.glob("sha256-*.json"))) == 2


def test_all_are_chosen_with_one_box(visit: Open) -> None:
    page = visit("/quarantine")
    every = page.get_by_role("checkbox", name="Choose all")
    every.check()
    boxes = page.locator('input[name="id"]')
    assert [box.is_checked() for box in boxes.all()] == [True] * 4
    boxes.first.uncheck()
    assert every.evaluate("box => box.indeterminate")
    boxes.first.check()
    expect(every).to_be_checked()
    every.uncheck()
    assert [box.is_checked() for box in boxes.all()] == [False] * 4


def test_one_message_is_looked_at_and_replayed_with_the_keyboard(visit: Open) -> None:
    page = visit("/quarantine")
    page.locator("tr", has_text="no handler is registered for smoke_test").get_by_role(
        "link"
    ).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("no handler is registered")
    expect(page.locator(".json").first).to_contain_text("after the deploy")
    page.get_by_role("button", name="Replay").press("Enter")
    expect(page.locator("#done")).to_contain_text("replayed 1 of 1")


def test_without_scripts_it_can_be_dropped_too(visit: Open, folder: Path) -> None:
    page = visit("/quarantine", script=False)
    page.locator('input[name="id"]').first.check()
    page.get_by_role("button", name="Drop chosen").click()
    page.get_by_role("button", name="Drop").click()
    expect(page.locator("#done")).to_contain_text("dropped 1 of 1")
    assert len(list(folder.glob("sha256-*.json"))) == 3


def test_a_hostile_message_is_text(visit: Open, folder: Path) -> None:
    reject(FolderQuarantine(folder), {"feature": EVIL, "description": EVIL}, EVIL, {EVIL: EVIL})
    reject(FolderQuarantine(folder), EVIL.encode(), "1060")
    (folder / f"{EVIL.replace('/', '')}.json").write_text(EVIL)
    page = visit("/quarantine", width=390)
    assert not scrolls_sideways(page)
    links = [row.get_attribute("href") for row in page.locator("table.held a").all()]
    assert len(links) == 7
    for link in links:
        page.goto(page.url.partition("/quarantine")[0] + str(link))
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.locator("main script, main img").count() == 0
        assert not scrolls_sideways(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Open, scheme: str) -> None:
    page = visit("/quarantine", scheme=scheme)
    assert found_by_axe(page) == []
    page.locator("table.held a").first.click()
    assert found_by_axe(page) == []
    page.get_by_role("button", name="Drop").click()
    assert found_by_axe(page) == []
    page.get_by_role("button", name="Drop").click()
    expect(page.locator("#done")).to_be_visible()
    assert found_by_axe(page) == []


def test_an_empty_quarantine_leads_to_a_message_that_is_wrong_on_purpose(
    visit: Open, folder: Path
) -> None:
    for file in folder.iterdir():
        file.unlink()
    page = visit("/quarantine")
    assert found_by_axe(page) == []
    page.get_by_role("link", name="Publish a wrong one").click()
    expect(page.get_by_label("Payload", exact=True).first).to_have_value(
        '{"feature": "smoke_test", "requirements": {"nonse": "n-1"}}'
    )
