"""The keys: when they are fetched, how often, and what goes on while they cannot be."""

import contextlib
import json
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from tests.support.inprocess import WAIT_SECONDS
from tests.support.keyserver import KeyServer, certificate, jwk, jwks, pem_map, private_key
from tests.support.standin import Reply, StandIn, talks
from worker.certificates import (
    FETCH_SECONDS,
    MAX_AGE_SECONDS,
    MAX_CERTS,
    REFRESH_SECONDS,
    RETRY_SECONDS,
    CertificateStore,
    read_keys,
)
from worker.certificates import WAIT_SECONDS as WAIT_SECONDS_OF_A_PUSH
from worker.config import MARGIN_SECONDS
from worker.outcome import Refused, Retry


class Clock:
    def __init__(self) -> None:
        self.now = 500.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server() -> Iterator[KeyServer]:
    with KeyServer("one", "two") as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(server: KeyServer, clock: Clock) -> CertificateStore:
    return CertificateStore(f"{server.url}/certs", clock=clock)


def ends_as(store: CertificateStore, key_id: str) -> type[Exception] | None:
    """What becomes of a push whose token names that key."""
    try:
        key = store.key(key_id)
    except (Refused, Retry) as stop:
        return type(stop)
    assert key.public_numbers() == private_key(key_id).public_key().public_numbers()
    return None


@pytest.mark.parametrize("path", ["/certs", "/jwks"])
def test_keys_are_fetched_once_in_either_form(server: KeyServer, path: str) -> None:
    store = CertificateStore(server.url + path)
    assert [ends_as(store, name) for name in ("one", "two", "one")] == [None] * 3
    assert len(server.calls) == 1


class TestUnknownIds:
    def test_strangers_cause_one_fetch_besides_the_first_and_one_more_in_ten_seconds(
        self, store: CertificateStore, server: KeyServer, clock: Clock
    ) -> None:
        for fetches in (2, 3):
            for number in range(50):
                assert ends_as(store, f"made-up-{number}") is Refused
            assert len(server.calls) == fetches
            clock.now += REFRESH_SECONDS

    def test_strangers_at_the_same_time_cause_two_fetches_at_most(
        self, store: CertificateStore, server: KeyServer
    ) -> None:
        with ThreadPoolExecutor(20) as pool:
            ends = set(pool.map(lambda number: ends_as(store, f"made-up-{number}"), range(40)))
        assert ends == {Refused}
        assert len(server.calls) <= 2

    def test_a_new_key_is_found_at_once_although_the_keys_were_fetched_just_now(
        self, store: CertificateStore, server: KeyServer
    ) -> None:
        assert ends_as(store, "one") is None
        server.names = ("two", "three")
        assert ends_as(store, "three") is None
        assert ends_as(store, "one") is Refused  # it was withdrawn
        assert len(server.calls) == 2

    def test_a_new_key_is_found_at_once_although_a_stranger_came_first(
        self, store: CertificateStore, server: KeyServer
    ) -> None:
        assert ends_as(store, "made-up") is Refused
        assert len(server.calls) == 1
        server.names = ("two", "three")
        assert ends_as(store, "three") is None

    def test_a_new_key_is_found_at_once_although_the_hour_has_ended_just_now(
        self, store: CertificateStore, server: KeyServer, clock: Clock
    ) -> None:
        ends_as(store, "one")
        clock.now += MAX_AGE_SECONDS + 1
        ends_as(store, "one")
        server.names = ("two", "three")
        assert ends_as(store, "three") is None


class TestAge:
    def test_a_withdrawn_key_stops_working_within_the_hour(
        self, store: CertificateStore, server: KeyServer, clock: Clock
    ) -> None:
        ends_as(store, "one")
        server.names = ("two",)
        clock.now += MAX_AGE_SECONDS
        assert ends_as(store, "one") is None
        clock.now += 1
        assert ends_as(store, "one") is Refused

    def test_known_keys_go_on_while_the_server_is_down_or_talks_rubbish(
        self, store: CertificateStore, server: KeyServer, clock: Clock
    ) -> None:
        ends_as(store, "one")
        for answer in (Reply(503), Reply(200, b"<html>"), Reply(200, b'{"keys": []}')):
            server.answer = lambda _call, answer=answer: answer  # type: ignore[misc]
            clock.now += 10 * MAX_AGE_SECONDS
            assert [ends_as(store, name) for name in ("one", "two")] == [None] * 2
            assert ends_as(store, "three") is Refused

    def test_old_keys_are_asked_for_again_once_in_ten_seconds_while_the_server_is_down(
        self, store: CertificateStore, server: KeyServer, clock: Clock
    ) -> None:
        ends_as(store, "one")
        server.down = True
        clock.now += MAX_AGE_SECONDS + 1
        for fetches in (2, 3):
            for _ in range(5):
                ends_as(store, "one")
            assert len(server.calls) == fetches
            clock.now += REFRESH_SECONDS


class TestNoKey:
    def test_the_server_is_asked_again_every_second_until_it_answers(
        self, store: CertificateStore, server: KeyServer, clock: Clock
    ) -> None:
        server.down = True
        for fetches in (1, 2):
            assert [ends_as(store, "one") for _ in range(5)] == [Retry] * 5
            assert len(server.calls) == fetches
            clock.now += RETRY_SECONDS
        server.down = False
        assert ends_as(store, "one") is None

    def test_each_failure_is_told_without_the_address(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        with StandIn(lambda _call: Reply(500)) as broken:
            ends_as(CertificateStore(f"{broken.url}/SECRET"), "one")
        (told,) = [one for one in caplog.records if one.name == "worker.certificates"]
        assert told.levelno == logging.WARNING
        assert told.getMessage() == (
            "PUSH_CERTS_URL gave no keys, those that are known go on: HTTPError"
        )

    @pytest.mark.parametrize(
        "raw",
        [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort"],
        ids=["nothing", "no HTTP", "a part"],
    )
    def test_a_server_that_speaks_no_http_is_as_good_as_none(self, raw: bytes) -> None:
        with talks(raw) as address:
            assert ends_as(CertificateStore(f"http://{address}/certs"), "one") is Retry

    def test_an_endless_answer_is_not_read_to_its_end(self) -> None:
        padded = Reply(200, b" " * MAX_CERTS + jwks(["one"]))
        with StandIn(lambda _call: padded) as server:
            assert ends_as(CertificateStore(f"{server.url}/jwks"), "one") is Retry

    def test_a_server_that_redirects_is_followed(self, server: KeyServer) -> None:
        moved = Reply(302, headers={"Location": f"{server.url}/certs"})
        with StandIn(lambda _call: moved) as first:
            assert ends_as(CertificateStore(f"{first.url}/certs"), "one") is None


def test_the_server_has_a_few_seconds_for_a_bounded_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int, float]] = []

    def download(url: str, limit: int, seconds: float) -> bytes:
        asked.append((url, limit, seconds))
        return jwks(["one"])

    monkeypatch.setattr("worker.certificates.download", download)
    assert ends_as(CertificateStore("https://certs.example"), "one") is None
    assert asked == [("https://certs.example", MAX_CERTS, FETCH_SECONDS)]
    assert FETCH_SECONDS < WAIT_SECONDS_OF_A_PUSH < 10 - MARGIN_SECONDS  # the least ack deadline


class Held:
    """A key server whose answers wait until they are let go."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.asked = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)
        self.fetches = 0

    def __call__(self, _url: str) -> bytes:
        self.fetches += 1
        answer = jwks(self.names)  # as of now, whatever becomes of it on the way
        self.asked.release()
        assert self.go_on.acquire(timeout=WAIT_SECONDS)
        return answer

    def wait(self) -> None:
        """Until it was asked once more."""
        assert self.asked.acquire(timeout=WAIT_SECONDS)


class TestWhileOneIsUnderWay:
    @pytest.fixture
    def held(self) -> Iterator[Held]:
        server = Held("one")
        yield server
        server.go_on.release(100)

    @pytest.fixture
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(10) as running:
            yield running

    @pytest.fixture
    def warm(self, held: Held, clock: Clock) -> CertificateStore:
        store = CertificateStore("https://certs.example", fetch=held, clock=clock)
        held.go_on.release()
        assert ends_as(store, "one") is None
        held.wait()
        return store

    def test_known_keys_are_used(
        self, warm: CertificateStore, held: Held, clock: Clock, pool: ThreadPoolExecutor
    ) -> None:
        clock.now += MAX_AGE_SECONDS + 1
        refreshing = pool.submit(ends_as, warm, "one")
        held.wait()
        assert ends_as(warm, "one") is None  # it does not wait for the other
        assert not refreshing.done()
        held.go_on.release()
        assert refreshing.result(WAIT_SECONDS) is None

    def test_all_who_name_a_new_key_wait_for_the_one_fetch(
        self, warm: CertificateStore, held: Held, pool: ThreadPoolExecutor
    ) -> None:
        held.names = ("one", "two")
        pushes = [pool.submit(ends_as, warm, "two") for _ in range(8)]
        held.wait()
        assert not any(push.done() for push in pushes)
        held.go_on.release()
        assert [push.result(WAIT_SECONDS) for push in pushes] == [None] * 8
        assert held.fetches == 2

    def test_a_fetch_that_began_too_early_for_a_new_key_is_followed_by_another(
        self, warm: CertificateStore, held: Held, clock: Clock, pool: ThreadPoolExecutor
    ) -> None:
        clock.now += MAX_AGE_SECONDS + 1
        refreshing = pool.submit(ends_as, warm, "one")
        held.wait()
        held.names = ("two",)
        push = pool.submit(ends_as, warm, "two")
        held.go_on.release()
        held.wait()
        held.go_on.release()
        assert (refreshing.result(WAIT_SECONDS), push.result(WAIT_SECONDS)) == (None, None)

    def test_a_push_waits_some_seconds_at_most(
        self,
        warm: CertificateStore,
        held: Held,
        pool: ThreadPoolExecutor,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("worker.certificates.WAIT_SECONDS", 0.05)
        held.names = ("two",)
        late: Future[Any] = pool.submit(ends_as, warm, "two")
        assert late.result(WAIT_SECONDS) is Refused
        assert held.fetches == 2  # which is still under way, and another is not begun
        assert ends_as(warm, "three") is Refused
        assert held.fetches == 2
        held.go_on.release()
        until_known(warm, "two")

    def test_without_any_key_a_push_waits_some_seconds_at_most(
        self, held: Held, clock: Clock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("worker.certificates.WAIT_SECONDS", 0.05)
        store = CertificateStore("https://certs.example", fetch=held, clock=clock)
        for _ in range(3):
            assert ends_as(store, "one") is Retry
            clock.now += RETRY_SECONDS
        assert held.fetches == 1
        held.go_on.release()
        until_known(store, "one")


def until_known(store: CertificateStore, key_id: str) -> None:
    """Wait for what is under way, as a push does that comes now."""
    under_way = store._under_way
    assert under_way is None or under_way.wait(WAIT_SECONDS)
    assert ends_as(store, key_id) is None


class TestReadKeys:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"{}",
            b"[]",
            b"null",
            b"not json",
            b'{"keys": []}',
            b'{"keys": [{"kty": "EC", "kid": "one"}]}',
            b'{"keys": [{"kty": "RSA", "kid": "one", "n": 5, "e": "AQAB"}]}',
            b'{"keys": [{"kty": "RSA", "kid": "one", "n": "", "e": ""}]}',
            b'{"keys": [{"kty": "oct", "kid": "one", "k": "c2VjcmV0"}]}',
            b'{"one": "not a certificate"}',
            b'{"one": 5}',
            b"[" * 100_000,
            b"\xff",
            pem_map(["one"])[:-200],
        ],
        ids=lambda body: repr(body[:30]),
    )
    def test_an_answer_without_keys_is_as_good_as_none(self, body: bytes) -> None:
        with pytest.raises(ValueError, match=r"."):
            read_keys(body)
        assert ends_as(CertificateStore("https://x.example", fetch=lambda _: body), "one") is Retry

    def test_one_broken_entry_does_not_hide_the_others(self) -> None:
        curve = certificate("curve", ec.generate_private_key(ec.SECP256R1()))
        pems = {"broken": "x", **json.loads(pem_map(["one"])), "other": 5, "curve": curve}
        assert set(read_keys(json.dumps(pems).encode())) == {"one"}
        broken = {"kty": "RSA", "kid": "broken", "n": 1}
        keys = [broken, {"kty": "EC"}, jwk("one"), broken, 5]
        assert set(read_keys(json.dumps({"keys": keys}).encode())) == {"one"}

    @given(
        st.binary(max_size=100)
        | st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=10),
            lambda inner: (
                st.lists(inner, max_size=2)
                | st.dictionaries(st.sampled_from(["keys", "kid", "kty", "n", "e"]), inner)
            ),
            max_leaves=5,
        ).map(lambda value: json.dumps(value).encode())
        | st.fixed_dictionaries(
            {
                "kty": st.just("RSA"),
                "kid": st.just("x"),
                "n": st.none() | st.text() | st.integers(),
                "e": st.none() | st.text() | st.integers(),
            }
        ).map(lambda value: json.dumps({"keys": [value]}).encode())
    )
    def test_any_answer_is_keys_or_a_value_error(self, body: bytes) -> None:
        with contextlib.suppress(ValueError):
            assert read_keys(body)
