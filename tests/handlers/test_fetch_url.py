"""fetch_url, from a server on loopback; tests/attacks has what a hostile one does."""

import hashlib

import pytest

from handlers import fetch_url as module
from handlers.fetch_url import fetch_url
from tests.support.standin import Reply, StandIn, unused_address
from worker.testing import deliver


@pytest.fixture
def public_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "is_public", lambda address: address == "127.0.0.1")


def test_what_is_there_is_described(public_loopback: None) -> None:
    reply = Reply(200, b"hello", {"Content-Type": "text/plain; charset=utf-8"})
    with StandIn(lambda _: reply) as server:
        delivered = deliver(fetch_url, {"url": f"{server.url}/a//b?c=%20d#e"})

    assert delivered.result == {
        "status": 200,
        "bytes": 5,
        "sha256": hashlib.sha256(b"hello").hexdigest(),
        "content_type": "text/plain; charset=utf-8",
    }
    (call,) = server.calls
    assert (call.method, call.path) == ("GET", "/a//b?c=%20d")
    assert call.headers["host"] == server.address


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(204, "done"), (301, "rejected"), (404, "rejected"), (429, "retry"), (503, "retry")],
)
def test_the_status_decides_what_becomes_of_the_message(
    public_loopback: None, status: int, outcome: str
) -> None:
    with StandIn(lambda _: Reply(status, headers={"Location": "/SECRET"})) as server:
        delivered = deliver(fetch_url, {"url": server.url})

    assert delivered.outcome == outcome
    assert delivered.status == 200 or delivered.reason == f"the server answered {status}"


def test_a_server_that_is_away_or_silent_is_asked_again(public_loopback: None) -> None:
    away = deliver(fetch_url, {"url": f"http://{unused_address()}"})
    with StandIn(lambda _: Reply(hang=True)) as server:
        silent = deliver(fetch_url, {"url": server.url}, budget_seconds=1.0)

    assert (away.outcome, silent.outcome) == ("retry", "retry")
    assert away.reason == "the server cannot be reached: ConnectionRefusedError"
    assert silent.reason == "the server cannot be reached: TimeoutError"


def test_our_own_network_is_refused() -> None:
    with StandIn(lambda _: Reply()) as server:
        delivered = deliver(fetch_url, {"url": f"{server.url}/SECRET"})

    assert (delivered.outcome, server.calls) == ("rejected", [])
    assert delivered.reason == "url: leads into a private network"
