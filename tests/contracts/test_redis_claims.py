"""RedisClaims on a real redis-server: the contract, and what becomes of it in trouble."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from cryptography.hazmat.primitives import serialization

from tests.contracts.claims import LEASE, ClaimsContract, FakeClock, key
from tests.support.daemon import free_port
from tests.support.keyserver import certificate, private_key
from tests.support.proxy import LossyProxy, full_address, silent_address
from tests.support.redis_server import RedisServer
from tests.support.rivals import race
from tests.support.standin import unused_address
from worker.claims import Claim, StoreFailed
from worker.claims import redis as module
from worker.claims.redis import RedisClaims
from worker.config import RETENTION_SECONDS
from worker.outcome import Busy, Duplicate

__all__ = ["key"]  # a fixture of the contract

pytestmark = [pytest.mark.redis, pytest.mark.server]

PREFIX = "feature-worker:claim:"
TIMED_OUT = "Redis cannot be used: timed out"


def store(url: str) -> RedisClaims:
    return RedisClaims(url, LEASE, RETENTION_SECONDS)


@pytest.fixture
def claims(redis_server: RedisServer) -> RedisClaims:
    return store(redis_server.url)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()  # nobody reads it


@pytest.fixture
def client(redis_server: RedisServer) -> Iterator["redis.Redis"]:
    with redis_server.client() as connected:
        yield connected


@pytest.fixture
def own(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that a test may stop."""
    with RedisServer(tmp_path) as running:
        yield running


@pytest.fixture
def proxy(redis_server: RedisServer, claims: RedisClaims) -> Iterator[LossyProxy]:
    claims.release(claims.acquire("so that both scripts are loaded"))
    with LossyProxy(redis_server.address) as running:
        yield running


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAIT_SECONDS", 10.0)  # a busy machine is no failure


@pytest.fixture
def impatient(_patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores that are made after this wait less long."""
    monkeypatch.setattr(module, "_WAIT_SECONDS", 0.2)


def failure(call: Callable[[], object]) -> str:
    with pytest.raises(StoreFailed) as failed:
        call()
    return failed.value.reason


def is_busy(claims: RedisClaims, key: str) -> bool:
    try:
        claims.release(claims.acquire(key))
    except Busy:
        return True
    return False


def is_done(claims: RedisClaims, key: str) -> bool:
    try:
        claims.release(claims.acquire(key))
    except Duplicate:
        return True
    return False


class TestRedisClaims(ClaimsContract):
    @pytest.fixture(autouse=True)
    def _connected(self, client: "redis.Redis") -> None:
        self.client = client

    def pass_time(self, clock: FakeClock, seconds: float) -> None:
        """Every key has so much less to live."""
        for name in self.client.scan_iter(PREFIX + "*"):
            left = self.client.pttl(name) - round(seconds * 1000)
            self.client.pexpire(name, left)  # deletes it when nothing is left


# --- records


def test_a_key_expires_with_its_lease_and_then_with_its_retention(
    claims: RedisClaims, client: "redis.Redis", key: str
) -> None:
    claim = claims.acquire(key)
    assert client.get(PREFIX + key) == claim.token.encode()
    assert LEASE - 30 < client.ttl(PREFIX + key) <= LEASE

    client.expire(PREFIX + key, 5)
    assert claims.renew(claim) == claim
    assert LEASE - 30 < client.ttl(PREFIX + key) <= LEASE

    claims.finish(claim)
    assert client.get(PREFIX + key) == b"done"
    assert RETENTION_SECONDS - 30 < client.ttl(PREFIX + key) <= RETENTION_SECONDS


def test_a_lease_may_be_a_part_of_a_second(
    redis_server: RedisServer, client: "redis.Redis", key: str
) -> None:
    RedisClaims(redis_server.url, 30.5, 60).acquire(key)

    assert 30_000 < client.pttl(PREFIX + key) <= 30_500


def test_a_key_that_is_no_unicode_has_a_name_of_its_own(
    claims: RedisClaims, client: "redis.Redis", key: str
) -> None:
    claims.acquire(key + "\ud800")

    assert client.exists(f"{PREFIX}{key}\ud800".encode("utf-8", "surrogatepass"))
    assert not is_busy(claims, key + "\\ud800")


def test_two_processes_share_their_claims(redis_server: RedisServer, key: str) -> None:
    keys = [f"{key}-{number}" for number in range(300)]
    made = "from worker.claims.redis import RedisClaims\n"
    made += f"claims = RedisClaims({redis_server.url!r}, 60, 60)"

    first, second = race(made, keys)

    assert sorted(first + second) == sorted(keys)


def test_more_threads_than_connections_share_a_store(redis_server: RedisServer, key: str) -> None:
    claims = store(redis_server.url + "?max_connections=3")

    with ThreadPoolExecutor(50) as pool:
        for _ in pool.map(lambda n: claims.finish(claims.acquire(f"{key}-{n}")), range(300)):
            pass

    assert all(is_done(claims, f"{key}-{number}") for number in range(300))


# --- lost answers


def test_who_did_not_hear_that_it_holds_the_key_asks_again(
    proxy: LossyProxy, claims: RedisClaims, key: str
) -> None:
    far = store(f"redis://{proxy.address}")

    proxy.lose("cut")
    claim = far.acquire(key)

    assert is_busy(claims, key)
    assert claims.renew(claim) == claim


def test_a_lost_answer_to_what_comes_later_changes_nothing(
    proxy: LossyProxy, claims: RedisClaims, key: str
) -> None:
    far = store(f"redis://{proxy.address}")

    claim = far.acquire(key)
    proxy.lose("cut")
    assert far.renew(claim) == claim
    proxy.lose("cut")
    far.release(claim)
    assert not is_busy(claims, key)

    claim = far.acquire(key)
    proxy.lose("cut")
    far.finish(claim)
    assert is_done(claims, key)


def test_a_claim_whose_answer_never_came_can_be_given_back(
    proxy: LossyProxy, claims: RedisClaims, impatient: None, key: str
) -> None:
    far = store(f"redis://{proxy.address}")

    proxy.lose("swallowed")
    with pytest.raises(StoreFailed) as failed:
        far.acquire(key)

    assert failed.value.reason == TIMED_OUT
    assert is_busy(claims, key)
    assert failed.value.doubtful is not None
    far.release(failed.value.doubtful)
    assert not is_busy(claims, key)


# --- a store that is away


def each_method(claims: RedisClaims) -> list[Callable[[], object]]:
    claim = Claim("SECRET", "token")
    return [
        lambda: claims.acquire("SECRET"),
        lambda: claims.renew(claim),
        lambda: claims.finish(claim),
        lambda: claims.release(claim),
    ]


def test_nobody_listening_is_a_failure() -> None:
    for call in each_method(store(f"redis://{unused_address()}")):
        assert failure(call) == "Redis cannot be used: Connection refused"


def test_a_store_that_never_answers_is_given_up(impatient: None) -> None:
    start = time.monotonic()
    with silent_address() as address:
        for call in each_method(store(f"redis://{address}")):
            assert failure(call) == TIMED_OUT
    assert time.monotonic() - start < 10  # redis-py's own patience is 5 s a call


def test_a_store_that_takes_no_connections_is_given_up(impatient: None) -> None:
    start = time.monotonic()
    with full_address() as address:
        for call in each_method(store(f"redis://{address}")):
            assert failure(call) == TIMED_OUT
    assert time.monotonic() - start < 10


def test_a_store_that_stands_still_is_given_up_and_used_again(
    own: RedisServer, impatient: None, key: str
) -> None:
    claims = store(own.url)
    claim = claims.acquire(key)

    own.pause()
    assert failure(lambda: claims.renew(claim)) == TIMED_OUT
    own.resume()

    assert claims.renew(claim) == claim


@pytest.mark.parametrize(("options", "threads"), [("max_connections=1&", 8), ("", 150)])
def test_who_finds_all_connections_taken_is_told_so(
    own: RedisServer, impatient: None, options: str, threads: int
) -> None:
    claims = store(f"{own.url}?{options}timeout=0.05")
    line = threading.Barrier(threads)  # late ones would find the connections of those that gave up
    own.pause()

    def acquire(number: int) -> str:
        line.wait()
        return failure(lambda: claims.acquire(str(number)))

    with ThreadPoolExecutor(threads) as pool:
        reasons = set(pool.map(acquire, range(threads)))

    assert reasons == {TIMED_OUT, f"{TIMED_OUT}, all connections are taken"}


def test_a_store_that_was_started_again_is_used_at_once(own: RedisServer, key: str) -> None:
    """Every connection there was is stale; the store is empty, and has no scripts either."""
    claims = store(own.url)
    line = threading.Barrier(8)

    def acquire(number: int) -> Claim:
        line.wait()
        return claims.acquire(f"{key}-{number}")

    with ThreadPoolExecutor(8) as pool:
        before = list(pool.map(acquire, range(8)))
        own.kill()
        own.start()
        after = list(pool.map(acquire, range(8)))

    assert [claim.key for claim in before] == [claim.key for claim in after]


def test_a_store_that_keeps_its_data_knows_its_claims_after_a_restart(
    tmp_path: Path, key: str
) -> None:
    with RedisServer(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        claims = store(server.url)
        held = claims.acquire(key)
        claims.finish(claims.acquire(key + "0"))

        server.kill()
        server.start()

        assert is_busy(claims, key)
        assert claims.renew(held) == held
        assert is_done(claims, key + "0")


def test_what_a_store_forgot_is_done_all_the_same_when_its_handler_returns(
    own: RedisServer, key: str
) -> None:
    claims = store(own.url)
    finished, renewed = claims.acquire(key), claims.acquire(key + "0")
    with own.client() as client:
        client.flushall()

    claims.finish(finished)
    assert claims.renew(renewed) == renewed

    assert is_done(claims, key)
    assert is_busy(claims, key + "0")


def test_what_a_store_forgot_and_gave_to_another_is_the_others(own: RedisServer, key: str) -> None:
    claims = store(own.url)
    lost = claims.acquire(key)
    with own.client() as client:
        client.flushall()
    claims.acquire(key)

    assert claims.renew(lost) is None
    claims.finish(lost)
    claims.release(lost)

    assert is_busy(claims, key)


# --- passwords, permissions, TLS, and a server that refuses


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("locked"), password="p@ss#1") as running:
        running_url = running.url.replace("p@ss#1", "p%40ss%231")
        with redis.Redis.from_url(running_url) as client:
            own_keys = ["~feature-worker:claim:*"]
            rights = ["+eval", "+evalsha", "+script|load", "+get", "+set", "+del"]
            client.acl_setuser(
                "worker", enabled=True, passwords=["+pw"], keys=own_keys, commands=rights
            )
            client.acl_setuser("nobody", enabled=True, passwords=["+pw"], commands=["+ping"])
        yield running


@pytest.mark.parametrize("user", [":p%40ss%231", "worker:pw"])
def test_the_right_password_opens_the_store(locked: RedisServer, key: str, user: str) -> None:
    claims = store(f"redis://{user}@{locked.address}")
    claims.release(claims.acquire(key))
    claims.finish(claims.acquire(key))

    assert is_done(claims, key)


@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (":SECRET@", "wrong user or password"),
        ("SECRET:SECRET@", "wrong user or password"),
        ("", "it wants a password"),
        (
            "nobody:pw@",
            "its user lacks permissions (want +eval +evalsha +script|load +get +set +del)",
        ),
    ],
)
def test_a_wrong_password_is_a_failure_that_does_not_repeat_it(
    locked: RedisServer, user: str, reason: str
) -> None:
    claims = store(f"redis://{user}{locked.address}")

    for call in each_method(claims):
        assert failure(call) == f"Redis cannot be used: {reason}"


def test_a_password_where_none_is_wanted_is_a_failure(redis_server: RedisServer) -> None:
    reason = failure(lambda: store(f"redis://:SECRET@{redis_server.address}").acquire("k"))

    assert reason == "Redis cannot be used: CLAIMS names a password, and it has none"


def test_a_database_that_is_not_there_is_a_failure(redis_server: RedisServer) -> None:
    reason = failure(lambda: store(f"redis://{redis_server.address}/99").acquire("k"))

    assert reason == "Redis cannot be used: it has no database of that number"


def test_databases_have_claims_of_their_own(redis_server: RedisServer, key: str) -> None:
    store(f"redis://{redis_server.address}/0").acquire(key)

    assert not is_busy(store(f"redis://{redis_server.address}/1"), key)


def test_a_store_without_memory_is_a_failure(own: RedisServer, key: str) -> None:
    claims = store(own.url)
    with own.client() as client:
        client.config_set("maxmemory", 1)

    assert failure(lambda: claims.acquire(key)) == "Redis cannot be used: its memory is full"


def test_a_replica_is_a_failure(own: RedisServer, key: str) -> None:
    claims = store(own.url)
    with own.client() as client:
        client.replicaof("127.0.0.1", 1)

    assert failure(lambda: claims.acquire(key)) == "Redis cannot be used: it is a replica"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """HOST:PORT of a server with TLS, with `?ssl_ca_certs=` its certificate behind it."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "cert.pem").write_text(certificate("redis"))
    secret = private_key("redis").private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    (folder / "key.pem").write_bytes(secret)
    port = free_port()
    options = ["--tls-port", str(port), "--tls-auth-clients", "no"]
    options += ["--tls-cert-file", str(folder / "cert.pem")]
    options += ["--tls-key-file", str(folder / "key.pem")]
    with RedisServer(folder, *options):
        yield f"localhost:{port}?ssl_ca_certs={folder / 'cert.pem'}"


def test_tls_is_used_and_its_options_come_from_the_address(tls: str, key: str) -> None:
    claims = store(f"rediss://{tls}&ssl_check_hostname=no")
    claims.acquire(key)

    assert is_busy(claims, key)


@pytest.mark.parametrize("options", [1, 0], ids=["another host's", "nobody's"])
def test_a_certificate_that_is_not_trusted_is_a_failure(tls: str, options: int) -> None:
    claims = store(f"rediss://{'?'.join(tls.split('?')[: options + 1])}")

    reason = failure(lambda: claims.acquire("k"))

    assert reason == "Redis cannot be used: CERTIFICATE_VERIFY_FAILED"
