"""Pages in real Chromium: each test gets a fresh context, and no page may do what it must not."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.stage import Stage, served, stage
from tests.browser.visit import Visit
from tests.support.tools import tool

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    path = tool("chromium")
    # As root Chromium starts without its sandbox only; in a container /dev/shm is too small for it.
    options = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Stage]:
    """The page of a cloud in which nothing has happened."""
    with stage(tmp_path) as made, served(made):
        yield made


@pytest.fixture
def live(empty: Stage) -> Stage:
    """The page of a cloud that has been used for a quarter of an hour."""
    empty.sample.fill()
    return empty


@pytest.fixture
def visit(chromium: Browser, empty: Stage) -> Iterator[Open]:
    """Open a page: `visit("/logs", scheme="dark", width=390)`.

    Afterwards: no dialog, no error in its console, no request to anybody else.
    """
    with ExitStack() as stack:

        def opened(path: str, **options: object) -> Page:
            return stack.enter_context(Visit(chromium, empty.url, path, **options))

        yield opened
