"""Fixtures that several test modules use."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.server import ROOT, ServerProcess

Serve = Callable[..., ServerProcess]

settings.register_profile("worker", deadline=None)  # a busy machine is no failure
settings.load_profile("worker")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start real servers in an empty folder with our handlers: `serve(PUSH_AUTH="none")`."""
    shutil.copytree(ROOT / "handlers", tmp_path / "handlers")
    with ExitStack() as stack:
        yield lambda **environment: stack.enter_context(ServerProcess(tmp_path, environment))
