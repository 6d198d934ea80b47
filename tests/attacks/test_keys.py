"""The certificate server asked by strangers, in rotation, slow, down, and talking rubbish."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.attacks.support import HEADER, REFUSED, bearing, canonical, signed
from tests.support.keyserver import ACCOUNT, AUDIENCE, KeyServer, jwks, token
from tests.support.rawhttp import RawAnswer, send
from tests.support.server import WAIT_SECONDS, ServerProcess, with_probe_handlers
from tests.support.standin import Call, Reply, StandIn

pytestmark = pytest.mark.server

Start = Callable[[StandIn], ServerProcess]
THREADS = 8


@pytest.fixture
def keys() -> Iterator[KeyServer]:
    with KeyServer("one") as running:
        yield running


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as stack:

        def started(keys: StandIn) -> ServerProcess:
            environment = {
                "PUSH_AUTH": "oidc",
                "PUSH_AUDIENCE": AUDIENCE,
                "PUSH_SERVICE_ACCOUNT": ACCOUNT,
                "PUSH_CERTS_URL": f"{keys.url}/certs",
            }
            folder = with_probe_handlers(tmp_path)
            return stack.enter_context(ServerProcess(folder, environment))

        yield started


def outcome(server: ServerProcess, presented: str) -> tuple[int, str]:
    answer = send(server.port, bearing(presented))
    return answer.status, answer.json()["outcome"]


def test_keys_rotate_under_load_without_a_refused_push(keys: KeyServer, start: Start) -> None:
    """Directly behind the first fetch, with both keys in use and then only the new one."""
    server = start(keys)

    def load(names: tuple[str, ...], pushes: int) -> set[tuple[int, str]]:
        return set(
            pool.map(
                lambda number: outcome(server, token(names[number % len(names)], sub=f"{number}")),
                range(pushes),
            )
        )

    with ThreadPoolExecutor(THREADS) as pool:
        seen = load(("one",), 20)
        keys.names = ("one", "two")
        seen |= load(("one", "two"), 60)
        keys.names = ("two",)
        seen |= load(("two",), 20)

    assert seen == {(200, "done")}
    assert len(keys.calls) == 2
    server.stop()
    ends = canonical(server.lines)
    assert [end["outcome"] for end in ends] == ["done"] * 100


def test_who_brings_the_new_key_first_waits_for_a_slow_server_and_so_do_the_others(
    start: Start,
) -> None:
    names, go_on = ["one"], threading.Event()
    go_on.set()
    few = THREADS // 2  # a thread is left for the push that need not wait

    def answer(_call: Call) -> Reply:
        body = jwks(names)
        assert go_on.wait(WAIT_SECONDS)
        return Reply(200, body)

    with StandIn(answer) as keys, ThreadPoolExecutor(THREADS) as pool:
        server = start(keys)
        assert outcome(server, token("one")) == (200, "done")
        names[:] = ["two"]
        go_on.clear()
        pushes = [pool.submit(outcome, server, token("two", sub=f"{n}")) for n in range(few)]
        known = outcome(server, token("one", sub="known"))
        waiting = [push.done() for push in pushes]
        go_on.set()

        assert known == (200, "done")
        assert not any(waiting)
        assert {push.result(WAIT_SECONDS) for push in pushes} == {(200, "done")}
        assert len(keys.calls) == 2


def test_fifty_made_up_key_ids_cause_one_fetch(keys: KeyServer, start: Start) -> None:
    server = start(keys)
    assert outcome(server, token("one")) == (200, "done")
    made_up = [signed({**HEADER, "kid": f"made-up-{n}"}, key="stranger") for n in range(50)]

    with ThreadPoolExecutor(THREADS) as pool:
        answers: list[RawAnswer] = list(
            pool.map(lambda presented: send(server.port, bearing(presented)), made_up)
        )

    assert {answer.status for answer in answers} == {401}
    assert all(answer.json() == REFUSED for answer in answers)
    assert len(keys.calls) == 2
    assert outcome(server, token("one", sub="next")) == (200, "done")


@pytest.mark.parametrize(
    "reply",
    [
        Reply(503),
        Reply(200, b"<html>not found</html>"),
        Reply(200, b'{"keys": []}'),
        Reply(200, b" " * 2_000_000),
    ],
    ids=["503", "HTML", "no keys", "too long"],
)
def test_keys_that_are_known_go_on_when_the_server_fails(
    keys: KeyServer, start: Start, reply: Reply
) -> None:
    server = start(keys)
    assert outcome(server, token("one")) == (200, "done")
    keys.answer = lambda _call: reply

    assert outcome(server, token("two")) == (401, "refused")  # which made it ask again
    assert outcome(server, token("one", sub="next")) == (200, "done")
    assert len(keys.calls) == 2
    server.wait_for(lambda entry: entry.get("logger") == "worker.certificates")


def test_while_no_key_can_be_had_pushes_are_nacked_and_soon_after_done(
    keys: KeyServer, start: Start
) -> None:
    keys.down = True
    server = start(keys)

    assert outcome(server, token("one")) == (503, "retry")
    assert outcome(server, "nonsense") == (401, "refused")  # that much is known without keys
    keys.down = False
    ends = iter(lambda: outcome(server, token("one")), (200, "done"))
    assert set(ends) == {(503, "retry")}  # until it asked again
    assert len(keys.calls) == 2


def test_a_server_that_never_answers_holds_up_nothing_but_pushes(start: Start) -> None:
    with StandIn(lambda _call: Reply(hang=True)) as keys:
        server = start(keys)
        with ThreadPoolExecutor(THREADS) as pool:
            pushes = [
                pool.submit(outcome, server, token("one", sub=f"{n}")) for n in range(THREADS)
            ]
            assert server.request("GET", "/health/ready")[0] == 200
            assert not any(push.done() for push in pushes)
            ends = {push.result(WAIT_SECONDS) for push in pushes}
    assert ends == {(503, "retry")}  # well before the ack deadline, or it were 504


@pytest.mark.parametrize("said", [b"SECRET", b'{"keys": [{"kty": "RSA", "kid": "SECRET"}]}'])
def test_nothing_of_what_the_key_server_says_is_logged(start: Start, said: bytes) -> None:
    with StandIn(lambda _call: Reply(200, said)) as keys:
        server = start(keys)
        outcome(server, token("one"))
        server.wait_for(lambda entry: entry.get("logger") == "worker.certificates")
        server.stop()
    assert b"SECRET" not in b"".join(server.lines)
