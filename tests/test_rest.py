"""Api: what its callers share. What it says of failures is tested with those who call it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials

from tests.support.standin import Reply, StandIn
from worker.rest import Api, Service


def test_threads_have_connections_of_their_own_and_share_credentials(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found: list[AnonymousCredentials] = []

    def default(scopes: list[str]) -> tuple[AnonymousCredentials, None]:
        found.append(AnonymousCredentials())
        return found[-1], None

    monkeypatch.setattr(google.auth, "default", default)
    line = threading.Barrier(3)

    def call(number: int) -> object:
        line.wait()
        return [api.post("x", {}), api.post("x", {})]

    with StandIn(lambda _call: Reply.json({})) as service:
        api = Api(Service("X", service.url, "X_EMULATOR_HOST"), 30)
        api.post("x", {})
        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(call, range(3))) == [[{}, {}]] * 3

    assert len(found) == 1
    assert len({call.connection for call in service.calls}) == 4
