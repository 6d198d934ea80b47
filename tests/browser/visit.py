"""A page in a browser, watched; what axe finds in it; a picture of it for the docs."""

import os
from contextlib import AbstractContextManager
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page

from tests.support.server import ROOT

IMAGES = ROOT / "docs" / "images"
_LARGEST = 200 * 1024  # bytes of a picture in the repository
_BAD = ("serious", "critical")


class Visit(AbstractContextManager[Page]):
    """One page in a context of its own. Leaving it fails for what a page must never do.

    `scheme` is "light" or "dark", `width` pixels, `script` False turns JavaScript off, `status` is
    that of the answer, `forgives` a text that its console may say.
    """

    def __init__(self, browser: Browser, root: str, path: str, **options: Any) -> None:
        self._problems: list[str] = []
        self._root = root
        width = options.get("width", 1280)
        self._context = browser.new_context(
            viewport={"width": width, "height": 800 if width > 600 else 844},
            color_scheme=options.get("scheme", "light"),
            java_script_enabled=options.get("script", True),
            permissions=["clipboard-read", "clipboard-write"],
            reduced_motion="reduce",
        )
        self._path = path
        self._status = options.get("status", 200)
        self._forgives = options.get("forgives", "")

    def __enter__(self) -> Page:
        page = self._context.new_page()
        page.set_default_timeout(10_000)
        page.on("dialog", self._dialog)
        page.on("pageerror", lambda error: self._problems.append(f"error: {error}"))
        page.on("console", lambda said: self._console(said.type, said.text))
        page.on("request", lambda request: self._request(request.url))
        answer = page.goto(self._root + self._path)
        assert answer is not None
        assert answer.status == self._status
        return page

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._context.close()
        if kind is None:
            assert self._problems == []

    def _dialog(self, dialog: Dialog) -> None:
        self._problems.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, kind: str, text: str) -> None:
        expected = f"the server responded with a status of {self._status}"
        forgiven = self._forgives and self._forgives in text
        if kind in ("error", "warning") and expected not in text and not forgiven:
            self._problems.append(f"console: {text}")

    def _request(self, url: str) -> None:
        if not url.startswith((self._root, "data:", "about:")):
            self._problems.append(f"request: {url}")


def found_by_axe(page: Page) -> list[str]:
    """What axe-core calls serious or critical: the rule, and where."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{each['id']}: {node['html'][:200]}"
        for each in violations
        if each["impact"] in _BAD
        for node in each["nodes"]
    ]


def open_all(page: Page) -> None:
    """Open whatever can be opened."""
    page.evaluate("document.querySelectorAll('main details').forEach(each => { each.open = true })")


def scrolls_sideways(page: Page) -> bool:
    """Whether the whole page is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth > window.innerWidth"))


def screenshot(page: Page, name: str) -> None:
    """A picture for the docs, if SCREENSHOTS=1 asks for it."""
    if os.environ.get("SCREENSHOTS") != "1":
        return
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path, animations="disabled", caret="hide")
    assert path.stat().st_size < _LARGEST
