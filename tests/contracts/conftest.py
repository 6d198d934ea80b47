"""Real stores of claims, one of each for all tests."""

from collections.abc import Iterator

import pytest

from tests.support.emulator import FIRESTORE, Emulator, find_installation
from tests.support.redis_server import RedisServer


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as running:
        yield running


@pytest.fixture(scope="session")
def firestore(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    installation = find_installation(FIRESTORE)
    assert installation is not None, "the test lacks the marker `emulator`"
    with Emulator(installation, tmp_path_factory.mktemp("firestore"), FIRESTORE) as running:
        yield running
