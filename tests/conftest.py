"""Fixtures that several test modules use."""

import functools
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.image import podman
from tests.support.emulator import KINDS, find_installation
from tests.support.server import ROOT, ServerProcess

pytest_plugins = ["worker.local.fixture"]  # local_cloud

Serve = Callable[..., ServerProcess]

# The contract suites are no test modules, so pytest has to be told to explain their asserts.
pytest.register_assert_rewrite(
    "tests.contracts.artifacts",
    "tests.contracts.claims",
    "tests.contracts.edge",
    "tests.contracts.edge_lifecycle",
    "tests.contracts.quarantine",
)

# A busy machine is no failure. What holds besides depends on the place: CI repeats its examples.
settings.register_profile("worker", settings(), deadline=None)
# `make mutants` runs the tests of a class again and again in one process.
settings.register_profile(
    "mutants",
    settings.get_profile("worker"),
    suppress_health_check=[HealthCheck.differing_executors],
)
settings.register_profile(  # the same properties once more, on another Python
    "again", settings.get_profile("worker"), max_examples=20
)
settings.load_profile("worker")


_installation = functools.cache(find_installation)  # once: it may take a second


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that lacks what its marker says it needs is skipped, in CI it fails.

    Here and not in a fixture, so that pytest says it in one line for all of them.
    """
    lack = _lack(item)
    if lack and os.environ.get("CI") == "true":
        pytest.fail(f"{lack}, and CI must not skip this", pytrace=False)
    if lack:
        pytest.skip(f"skipped: {lack}")


def _lack(item: pytest.Item) -> str:
    if (marker := item.get_closest_marker("emulator")) is not None:
        kind = KINDS[marker.args[0] if marker.args else "pubsub"]
        if _installation(kind) is None:
            return kind.not_installed
    if item.get_closest_marker("browser") is not None and shutil.which("chromium") is None:
        return "chromium is not installed"
    if item.get_closest_marker("redis") is not None and shutil.which("redis-server") is None:
        return "redis-server is not installed"
    if item.get_closest_marker("image") is not None:
        return podman.lack()
    return ""


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start real servers in an empty folder with our handlers: `serve(PUSH_AUTH="none")`."""
    shutil.copytree(ROOT / "handlers", tmp_path / "handlers")
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(ServerProcess(tmp_path, environment))
