"""Fixtures that several test modules use."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

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


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start real servers in an empty folder with our handlers: `serve(PUSH_AUTH="none")`."""
    shutil.copytree(ROOT / "handlers", tmp_path / "handlers")
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(ServerProcess(tmp_path, environment))
