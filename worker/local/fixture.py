"""`local_cloud`: the laptop cloud as a pytest fixture, for the tests of handlers.

In `conftest.py`:

    pytest_plugins = ["worker.local.fixture"]
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from worker.local.testing import LocalCloud


@pytest.fixture(scope="session")
def local_cloud_settings() -> Mapping[str, str]:
    """Settings of the worker, as environment variables. Override it to change them."""
    return {}


@pytest.fixture(scope="session")
def _running_cloud(local_cloud_settings: Mapping[str, str]) -> "Iterator[LocalCloud]":
    """One laptop cloud for all tests: it takes two seconds to start."""
    from worker.local.testing import WorkerFailed, running_cloud  # noqa: PLC0415 - only if used

    with tempfile.TemporaryDirectory(prefix="laptop-cloud-") as folder:
        try:
            with running_cloud(Path(folder), local_cloud_settings) as cloud:
                yield cloud
        except WorkerFailed as failed:
            pytest.fail(f"the worker did not start:\n{failed}", pytrace=False)


@pytest.fixture
def local_cloud(_running_cloud: "LocalCloud") -> "Iterator[LocalCloud]":
    """The laptop cloud with a worker that serves your handlers, all faults off."""
    _running_cloud.faults()
    yield _running_cloud
    _running_cloud.faults()
