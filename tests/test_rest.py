"""Api: what its callers share. What it says of failures is tested with those who call it."""

import os
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials

from tests.support.standin import Reply, StandIn
from worker.rest import Api, Service, gcloud_proxies


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


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, ""),
        ({"TYPE": "http", "ADDRESS": "127.0.0.1", "PORT": "1"}, "http://127.0.0.1:1"),
        ({"TYPE": "http_no_tunnel", "ADDRESS": "127.0.0.1", "PORT": "1"}, "http://127.0.0.1:1"),
        ({"TYPE": "socks5", "ADDRESS": "127.0.0.1", "PORT": "1"}, ""),
        ({"TYPE": "http", "ADDRESS": "127.0.0.1"}, ""),
        ({"TYPE": "http", "PORT": "1"}, ""),
        ({"ADDRESS": "127.0.0.1", "PORT": "1"}, ""),
    ],
)
def test_gclouds_proxy_is_ours_where_its_variables_name_one(
    monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str], proxy: str
) -> None:
    _set_proxy(monkeypatch, variables)
    assert gcloud_proxies() == ({"http": proxy, "https": proxy} if proxy else {})


def test_calls_go_through_the_proxy_and_no_name_is_looked_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = Service("X", "https://x.googleapis.com", override="X_OVERRIDE")
    monkeypatch.setenv("X_OVERRIDE", "http://x.test/")
    with StandIn(lambda _call: Reply.json({"a": 1})) as proxy:
        host, _, port = proxy.address.partition(":")
        _set_proxy(monkeypatch, {"TYPE": "http_no_tunnel", "ADDRESS": host, "PORT": port})
        assert Api(service, 30).call("GET", "v1/y") == {"a": 1}
    assert [call.path for call in proxy.calls] == ["http://x.test/v1/y"]


def _set_proxy(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> None:
    """Those variables of gcloud's proxy, and no proxy of this machine's own."""
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name in ("TYPE", "ADDRESS", "PORT"):
        monkeypatch.delenv(f"CLOUDSDK_PROXY_{name}", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(f"CLOUDSDK_PROXY_{name}", value)
