"""The load generator against a server that answers what the test says."""

import json
from collections.abc import Callable
from itertools import count

import pytest

from tests.benchmarks import loadgen
from tests.benchmarks.connection import ID_MARK, LoadFailed
from tests.benchmarks.loadgen import Job, Load, Result
from tests.benchmarks.messages import push, sized_body, usual_body
from tests.support.standin import Call, Reply, StandIn, talks, unused_address

LONG = 60.0  # seconds; the number of requests ends these loads


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def load(address: str, **changed: object) -> Result:
    body = str(changed.pop("body", usual_body()))
    sent = push(body, *changed.pop("tokens", ("token",)))  # type: ignore[misc]  # a tuple of str
    usual = {"connections": 2, "requests": 10, "seconds": LONG, **changed}
    return Load(Job(port_of(address), heads=sent.heads, body=body, **usual), count(10**15)).run()  # type: ignore[arg-type]  # by name


def run(answer: Callable[[Call], Reply], **changed: object) -> tuple[Result, list[Call]]:
    with StandIn(answer) as server:
        result = load(server.address, **changed)
        return result, server.calls


def test_every_push_is_a_new_message_and_counted() -> None:
    result, calls = run(lambda _call: Reply(204), requests=50)
    ids = {call.json()["message"]["messageId"] for call in calls}
    assert len(ids) == len(calls) == 50
    assert all(len(one) == len(ID_MARK) for one in ids)
    messages = [call.json()["message"] for call in calls]
    assert all(one["messageId"] == one["message_id"] for one in messages)
    assert result.statuses == {"204": 50}
    assert 0 < result.p50 <= result.p99 <= result.p999 <= result.seconds


def test_connections_are_kept() -> None:
    _, calls = run(lambda _call: Reply(204), connections=3, requests=30)
    assert len({call.connection for call in calls}) == 3


def test_a_closed_connection_is_opened_again() -> None:
    closes = Reply(204, headers={"Connection": "close"})
    result, calls = run(lambda _call: closes, connections=1, requests=5)
    assert result.statuses == {"204": 5}
    assert len({call.connection for call in calls}) == 5


def test_tokens_are_sent_in_turn() -> None:
    _, calls = run(lambda _call: Reply(204), connections=1, requests=4, tokens=("one", "two"))
    assert [call.headers["authorization"][7:] for call in calls] == ["one", "two", "one", "two"]


def test_a_large_body_arrives_whole() -> None:
    size = 12_000_000  # more than the kernel takes at once
    body = sized_body(size)
    result, calls = run(lambda _call: Reply(200, b"x" * 100_000), body=body, requests=4)
    assert result.statuses == {"200": 4}
    assert {len(call.body) for call in calls} == {size}
    assert json.loads(calls[0].body) != json.loads(calls[1].body)


def test_after_a_429_the_connection_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loadgen, "PAUSE_NS", 20_000_000)
    statuses = iter([429, 429, *[200] * 8])
    result, _ = run(lambda _call: Reply(next(statuses)), connections=1)
    assert result.statuses == {"200": 8, "429": 2}
    assert result.seconds > 2 * 0.02


def test_a_load_ends_with_its_time_even_while_everybody_pauses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loadgen, "PAUSE_NS", int(LONG * 1e9))
    result, _ = run(lambda _call: Reply(429), requests=10**9, seconds=0.05)
    assert set(result.statuses) == {"429"}
    assert result.seconds < LONG


def test_a_server_that_never_answers_fails_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loadgen, "STALL_NS", 50_000_000)
    with pytest.raises(LoadFailed, match="no answer within"):
        run(lambda _call: Reply(hang=True))


def test_other_statuses_are_counted_and_not_timed() -> None:
    result, _ = run(lambda _call: Reply(500))
    assert result.statuses == {"500": 10}
    assert result.p50 == 0


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (b"", "closed before its answer"),
        (b"nonsense", "no HTTP answer"),
        (b"HTTP/1.1 204 No Content\r\n\r\nmore", "more bytes than one answer"),
    ],
)
def test_a_server_that_does_not_speak_http_fails_the_load(says: bytes, reason: str) -> None:
    with talks(says) as address, pytest.raises(LoadFailed, match=reason):
        load(address)


def test_nobody_listening_fails_the_load() -> None:
    with pytest.raises(LoadFailed, match="refused"):
        load(unused_address())


def test_heads_of_different_lengths_are_refused() -> None:
    with pytest.raises(LoadFailed, match="not of one length"):
        load(unused_address(), tokens=("one", "three"))
