"""Scenarios, what they run on, and their figures at the end of the session."""

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.emulator.support import PubSub
from tests.faults import figures
from tests.faults.audit import Verdict
from tests.faults.figures import Row
from tests.faults.scenario import Scenario
from tests.support.emulator import FIRESTORE, PUBSUB, Emulator, Kind, find_installation
from tests.support.redis_server import RedisServer

_ROWS: pytest.StashKey[list[Row]] = pytest.StashKey()
_DURABLE = ("--appendonly", "yes", "--appendfsync", "always")

Begin = Callable[..., Scenario]
Conclude = Callable[..., Verdict]
Record = Callable[[Row], None]


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_ROWS] = []


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """The figures, and the seed that repeats them."""
    if rows := config.stash[_ROWS]:
        terminalreporter.section("faults")
        for row in rows:
            terminalreporter.write_line(str(row))
        terminalreporter.write_line(f"to repeat: {figures.SEED}={rows[0].seed}")


@pytest.fixture(scope="session")
def seed() -> int:
    return int(os.environ.get(figures.SEED) or secrets.randbelow(10**6))


@pytest.fixture(scope="session")
def scale() -> int:
    return int(os.environ.get(figures.SCALE) or 1)


@pytest.fixture(scope="session")
def record(pytestconfig: pytest.Config) -> Record:
    """Write down what a scenario came to."""

    def keep(row: Row) -> None:
        pytestconfig.stash[_ROWS].append(row)
        figures.keep(row)

    return keep


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Whatever is entered here ends with the test."""
    with ExitStack() as entered:
        yield entered


@pytest.fixture
def redis(tmp_path: Path, stack: ExitStack) -> RedisServer:
    """A Redis that has on the disk what it has answered."""
    folder = tmp_path / "redis"
    folder.mkdir()
    return stack.enter_context(RedisServer(folder, *_DURABLE))


@pytest.fixture
def begin(tmp_path: Path, stack: ExitStack, seed: int) -> Begin:
    """Begin a scenario: its title, and the settings of its workers."""

    def start(title: str, **environment: str) -> Scenario:
        return Scenario(title, seed, tmp_path, stack, **environment)

    return start


@pytest.fixture
def conclude(record: Record) -> Conclude:
    """End a scenario: its row is written down, and the promise has to hold for every message."""

    def end(scenario: Scenario, **evidence: object) -> Verdict:
        verdict = scenario.end(**evidence)  # type: ignore[arg-type]  # handed on as they are
        record(scenario.row(verdict))
        assert (verdict.lost, verdict.twice) == ([], []), f"{figures.SEED}={scenario.seed}"
        expected = {message.id: message.kind.fate for message in scenario.messages}
        assert verdict.fates == expected
        return verdict

    return end


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with _emulator_of(PUBSUB, tmp_path_factory) as running:
        yield running
        died = "Exception in thread" in running.log.read_text()
        assert not died, f"a push thread of the emulator died: {running.log.read_text()}"


@pytest.fixture(scope="session")
def firestore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with _emulator_of(FIRESTORE, tmp_path_factory) as running:
        yield running


def _emulator_of(kind: Kind, folders: pytest.TempPathFactory) -> Emulator:
    installation = find_installation(kind)
    assert installation is not None, "the test lacks the marker `emulator`"
    return Emulator(installation, folders.mktemp("emulator"), kind)


@pytest.fixture
def pubsub(emulator: Emulator) -> Iterator[PubSub]:
    with PubSub(emulator.host) as made:
        yield made
