"""Fixtures that several test modules use."""

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.emulator.support import NOT_INSTALLED, find_installation
from tests.support.server import ROOT, ServerProcess

Serve = Callable[..., ServerProcess]

# A busy machine is no failure. What holds besides depends on the place: CI repeats its examples.
settings.register_profile("worker", settings(), deadline=None)
# `make mutants` runs the tests of a class again and again in one process.
settings.register_profile(
    "mutants",
    settings.get_profile("worker"),
    suppress_health_check=[HealthCheck.differing_executors],
)
settings.load_profile("worker")


_installation = functools.cache(find_installation)  # once: it may take a second


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without the emulator its tests are skipped, in CI they fail.

    Here and not in a fixture, so that pytest says it in one line for all of them.
    """
    if item.get_closest_marker("emulator") is None or _installation() is not None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{NOT_INSTALLED}, and CI must not skip this", pytrace=False)
    pytest.skip(f"skipped: {NOT_INSTALLED}")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start real servers in an empty folder with our handlers: `serve(PUSH_AUTH="none")`."""
    shutil.copytree(ROOT / "handlers", tmp_path / "handlers")
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(ServerProcess(tmp_path, environment))
