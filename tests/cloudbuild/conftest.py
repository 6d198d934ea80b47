"""A stage for each test, on a worker that tests share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloudbuild.stage import LocalWorker, Stage, local_worker
from tests.support.google import FakeGoogle


@pytest.fixture(scope="session")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalWorker]:
    """A worker that handles the smoke test."""
    with local_worker(tmp_path_factory.mktemp("healthy")) as running:
        yield running


@pytest.fixture
def stage(tmp_path: Path, healthy: LocalWorker) -> Iterator[Stage]:
    """The fake Google, and a healthy worker as what was deployed."""
    host = healthy.cloud.address.host
    with FakeGoogle(pubsub=host, logging=host) as google:
        yield Stage(tmp_path, google, healthy)
