"""A project in which nothing is, and provision run in it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from click.testing import Result

from tests.provision.support import clear
from tests.support.cli import run
from tests.support.emulator import PUBSUB, Emulator, find_installation
from tests.support.google import FakeGoogle
from worker.provision.plan import Patience

Provision = Callable[..., Result]

# The emulator keeps messages for 7 days at most; the real Pub/Sub for 31.
SETTINGS = """\
dead_letter_retention_days = 7
artifacts = "gs://demo-artifacts/features"
alert_emails = ["a@example.com", "b@example.com"]
"""


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A deploy.toml, with what its defaults leave out."""
    path = tmp_path / "deploy.toml"
    path.write_text(SETTINGS)
    return path


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """Google's Pub/Sub emulator, with the project of the fake."""
    installation = find_installation()
    assert installation is not None, "the test lacks the marker `emulator`"
    kind = replace(PUBSUB, arguments=(f"--projects={FakeGoogle.project}",))
    with Emulator(installation, tmp_path_factory.mktemp("emulator"), kind) as running:
        yield running


@pytest.fixture
def google() -> Iterator[FakeGoogle]:
    """A new project: no API is enabled that a test or provision did not enable."""
    with FakeGoogle() as running:
        running.apis_must_be_enabled = True
        yield running


@pytest.fixture
def emulated(emulator: Emulator) -> Iterator[FakeGoogle]:
    """The same with Pub/Sub by Google's emulator, empty before and after."""
    with FakeGoogle(pubsub=emulator.host) as running:
        running.apis_must_be_enabled = True
        yield running
    clear(emulator.host, FakeGoogle.project)


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Nobody waits: what would have been slept, in seconds."""
    naps: list[float] = []
    monkeypatch.setattr("worker.provision.plan.Patience", partial(Patience, naps.append))
    return naps


@pytest.fixture
def provision(settings: Path, slept: list[float]) -> Provision:
    """`provision(google, "--yes")`: the command with these settings."""

    def provision(google: FakeGoogle, *words: str, stdin: bytes | None = None) -> Result:
        given = ("provision", "--settings", str(settings), *words)
        return run(*given, stdin=stdin, **google.environment)

    return provision
