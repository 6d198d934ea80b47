"""The fake Google, and what reads it: the real gcloud, and our own commands' Project."""

from collections.abc import Iterator

import pytest

from tests.google.support import Gcloud
from tests.support.google import FakeGoogle
from worker.project.google import Google
from worker.project.project import Project


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    """The fake, and this process led to it."""
    with FakeGoogle() as running:
        for name, value in running.environment.items():
            monkeypatch.setenv(name, value)
        yield running


@pytest.fixture
def gcloud(google: FakeGoogle) -> Gcloud:
    return Gcloud(google)


@pytest.fixture
def project(google: FakeGoogle) -> Project:
    """What smoke, provision and doctor read with."""
    return Project(google.project, Google(sleep=lambda _seconds: None))
