"""RedisClaims without a Redis: addresses, and whatever else may answer."""

import socket
import socketserver
import threading
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from worker.claims import Claim, StoreFailed
from worker.claims import redis as module
from worker.claims.redis import RedisClaims
from worker.outcome import Busy, Duplicate

KEY = "SECRET#id=1"


def store(url: str) -> RedisClaims:
    return RedisClaims(url, 60, 3600)


class Talker(socketserver.ThreadingTCPServer):
    """Answers everything with `raw` and hangs up."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 100
    raw = b""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Talk)


class _Talk(socketserver.BaseRequestHandler):
    server: Talker
    request: socket.socket

    def handle(self) -> None:
        self.request.recv(65536)
        self.request.sendall(self.server.raw)


@pytest.fixture(scope="module")
def talker() -> Iterator[Talker]:
    with Talker() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture(scope="module")
def claims(talker: Talker) -> RedisClaims:
    return store(f"redis://127.0.0.1:{talker.server_address[1]}")


def reason(claims: RedisClaims) -> str:
    with pytest.raises(StoreFailed) as failed:
        claims.acquire(KEY)
    assert failed.value.doubtful is not None
    assert failed.value.doubtful.key == KEY
    said = failed.value.reason
    assert said.startswith("Redis cannot be used: ")
    assert "\n" not in said
    assert "SECRET" not in said
    return said.removeprefix("Redis cannot be used: ")


@pytest.mark.parametrize(
    ("raw", "meaning"),
    [
        (b"-LOADING Redis is loading the dataset in memory", "it is still loading its data"),
        (b"-MISCONF Redis is configured to save RDB snapshots", "it cannot save its data"),
        (b"-NOREPLICAS Not enough good replicas to write.", "it has too few replicas"),
        (b"-CLUSTERDOWN Hash slot not served", "its cluster is down"),
        (b"-MASTERDOWN Link with MASTER is down", "it is a replica without its primary"),
        (b"-MOVED 3999 127.0.0.1:6381", "it is a cluster, which CLAIMS cannot use"),
        (b"-ERR max number of clients reached", "it has too many clients"),
        (b"-ERR invalid password", "wrong user or password"),
        (b"-ERR unknown command 'EVALSHA', with args: 'x' 'SECRET'", "it has no scripts"),
        (b"-ERR Error running script: -OOM command not allowed", "its memory is full"),
        (b"-ERR something about SECRET", "ResponseError"),
        (b"HTTP/1.1 400 Bad Request", "InvalidResponse"),
        (b":SECRET", "ValueError"),
    ],
)
def test_what_redis_says_is_told_without_its_words(
    talker: Talker, claims: RedisClaims, raw: bytes, meaning: str
) -> None:
    talker.raw = raw + b"\r\n"

    assert reason(claims) == meaning


def test_no_wait_is_a_large_part_of_what_a_push_may_take() -> None:
    assert module._WAIT_SECONDS <= 1


def test_a_server_that_hangs_up_is_a_failure(talker: Talker, claims: RedisClaims) -> None:
    talker.raw = b""

    assert reason(claims) in ("it closed the connection", "Connection reset by peer")


def test_a_name_that_is_not_known_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert reason(store("redis://SECRET.example")) == "Name or service not known"


def test_a_name_that_cannot_be_one_is_a_failure() -> None:
    said = reason(store(f"redis://{'SECRET' * 20}"))
    assert said in ("UnicodeError", "UnicodeEncodeError")  # before Python 3.13, and from then on


ANSWERS = st.binary() | st.builds(
    bytes.__add__, st.sampled_from([b"-", b"+", b":", b"$3\r\n", b"*1\r\n", b"-ERR "]), st.binary()
)


@given(ANSWERS)
@example(b"\xff")
@example(b"+OK\r\n")
@example(b":3\r\n")
@example(b"$-1\r\n")
@example(b"*-1\r\n")
@example(b"-MOVED\r\n")
@example(b"-ASK 1 x\r\n")
@example(b"$99999999999999999999\r\n")
@example(b"*1000000\r\n")
@example(b"*1\r\n" * 1_000)
def test_whatever_is_answered_is_one_of_the_outcomes(
    talker: Talker, claims: RedisClaims, raw: bytes
) -> None:
    talker.raw = raw
    try:
        claim = claims.acquire(KEY)
    except (Duplicate, Busy):
        return
    except StoreFailed:
        return
    assert claim.key == KEY
    assert raw.startswith(b":")


def test_only_the_number_that_says_so_is_a_claim(talker: Talker, claims: RedisClaims) -> None:
    talker.raw = b":0\r\n"
    assert isinstance(claims.acquire(KEY), Claim)
    talker.raw = b":2\r\n"
    with pytest.raises(Duplicate):
        claims.acquire(KEY)
    for other in (b":1\r\n", b":3\r\n", b"$-1\r\n", b"+OK\r\n"):
        talker.raw = other
        with pytest.raises(Busy):
            claims.acquire(KEY)


@pytest.mark.parametrize(
    "url",
    [
        "http://SECRET",
        "redis://:SEC/RET@host",  # what is behind '/' is no password: it has to be %2F
        "redis://:SEC#RET@host",
        "redis://:SEC?RET@host",
        "redis://host:SECRET",
        "redis://host:99999999",
        "redis://[SECRET",
        "redis://host?SECRET=1",
        "redis://host?socket_timeout=SECRET",
        "redis://host?protocol=SECRET",
        "rediss://host?ssl_cert_reqs=SECRET",
    ],
)
def test_an_address_that_cannot_be_read_is_an_error_that_does_not_repeat_it(url: str) -> None:
    with pytest.raises(ValueError, match="CLAIMS is no address that redis-py can read") as error:
        store(url)

    assert "SEC" not in str(error.value)
    assert "RET" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "url", ["redis://host", "redis://u:p@host:1/2?socket_timeout=3", "rediss://host?timeout=1"]
)
def test_a_good_address_is_not_connected_to_at_first(url: str) -> None:
    store(url)
