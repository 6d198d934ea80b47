"""One emulator and one worker for all tests of this folder; topics and subscriptions for each."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.emulator.support import Entries, Gcloud, PubSub
from tests.support.emulator import Emulator, Installation, find_installation
from tests.support.server import ServerProcess, with_probe_handlers

TROUBLE = Path(__file__).parent / "handlers" / "trouble.py"


@pytest.fixture(scope="session")
def installation() -> Installation:
    found = find_installation()
    assert found is not None, "the test lacks the marker `emulator`"
    return found


@pytest.fixture(scope="session")
def emulator(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Emulator]:
    with Emulator(installation, tmp_path_factory.mktemp("emulator")) as running:
        yield running
        died = "Exception in thread" in running.log.read_text()
        assert not died, f"a push thread of the emulator died: {running.log.read_text()}"


@pytest.fixture(scope="session")
def gcloud(
    installation: Installation, emulator: Emulator, tmp_path_factory: pytest.TempPathFactory
) -> Gcloud:
    return Gcloud(installation.gcloud, emulator.host, tmp_path_factory.mktemp("gcloud"))


@pytest.fixture
def pubsub(emulator: Emulator) -> Iterator[PubSub]:
    with PubSub(emulator.host) as made:
        yield made


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the shared server runs in."""
    return with_trouble(tmp_path_factory.mktemp("worker"))


@pytest.fixture(scope="session")
def server(emulator: Emulator, home: Path) -> Iterator[ServerProcess]:
    """A server with the default settings, our handlers and those of trouble.py."""
    with ServerProcess(home) as running:
        yield running


@pytest.fixture(scope="session")
def entries(server: ServerProcess) -> Entries:
    return Entries(server)


@pytest.fixture(scope="session")
def prepare() -> Callable[[Path], Path]:
    """Make a folder one that a server can run in."""
    return with_trouble


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for a server of one's own."""
    return with_trouble(tmp_path)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    """Whatever is entered here ends with the test."""
    with ExitStack() as entered:
        yield entered


def with_trouble(folder: Path) -> Path:
    """The folder, with our handlers, the probes and those of trouble.py in it."""
    with_probe_handlers(folder)
    shutil.copy(TROUBLE, folder / "handlers")
    return folder
