"""The edge contracts on the server that Cloud Run runs: our edge under gunicorn."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.contracts.edge import EdgeContract
from tests.contracts.edge_lifecycle import LifecycleContract, Start, held
from tests.support.server import ServerProcess, with_probe_handlers

__all__ = ["held"]  # a fixture of the contract

pytestmark = pytest.mark.server

_SCRIPT = """
import os
from worker.config import read_settings
from worker.server import serve
serve(read_settings(os.environ), read_seconds={})
"""


@pytest.fixture(scope="module")
def edge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = with_probe_handlers(tmp_path_factory.mktemp("edge"))
    with ServerProcess(folder, {"HANDLER_THREADS": "4"}) as server:
        yield server
        assert server.stderr() == ""
    assert [entry for entry in server.entries() if entry.get("logger") == "worker.reactor"] == []


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(*, read_seconds: float | None = None, **environment: str) -> ServerProcess:
            folder = with_probe_handlers(tmp_path_factory.mktemp("own"))
            command: tuple[str, ...] = ("-m", "worker", "serve")
            if read_seconds is not None:
                command = ("-c", _SCRIPT.format(read_seconds))
            return stack.enter_context(ServerProcess(folder, environment, command))

        yield started


class TestGunicornEdge(EdgeContract):
    pass


class TestGunicornLifecycle(LifecycleContract):
    pass
