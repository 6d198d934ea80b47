"""CLAIMS=redis://...: claims in a Redis that all processes share.

A key is a string in Redis that expires by itself: the token of who holds it, or `done`. Redis ends
leases and retentions on its own clock, so no worker's clock matters.
"""

import secrets
from contextlib import suppress
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from worker.claims import Claim, StoreFailed
from worker.outcome import Busy, Duplicate

_PREFIX = b"feature-worker:claim:"
_WAIT_SECONDS = 1.0  # to connect, for an answer, for one of the connections
_CONNECTIONS = 32  # for each process: a call takes less than a millisecond

# Redis runs a script whole. One that is run again, because its answer was lost, does no harm.
_PUT_UNLESS_TAKEN = """\
local holder = redis.call('GET', KEYS[1])
if holder == 'done' then return 2 end
if holder and holder ~= ARGV[1] then return 1 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 0
"""
_WRITTEN, _DONE = 0, 2  # what it says
_DELETE_IF_HELD = """\
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""

# What Redis or its client says -> what is told. Their own words may repeat the key or the password.
_MEANINGS = {
    "No connection available": "timed out, all connections are taken",
    "WRONGPASS": "wrong user or password",
    "invalid password": "wrong user or password",
    "NOAUTH": "it wants a password",
    "without any password": "CLAIMS names a password, and it has none",
    "NOPERM": "its user lacks permissions (want +eval +evalsha +script|load +get +set +del)",
    "DB index": "it has no database of that number",
    "max number of clients": "it has too many clients",
    "LOADING": "it is still loading its data",
    "READONLY": "it is a replica",
    "OOM": "its memory is full",
    "MISCONF": "it cannot save its data",
    "NOREPLICAS": "it has too few replicas",
    "MASTERDOWN": "it is a replica without its primary",
    "CLUSTERDOWN": "its cluster is down",
    "MOVED": "it is a cluster, which CLAIMS cannot use",
    "unknown command": "it has no scripts",
    "closed by server": "it closed the connection",
}

# What its client raises, too, when something else answers or when the host cannot be a name.
_NOT_REDIS = (ValueError, OverflowError, RecursionError)


class RedisClaims:
    """Claims in the Redis at `url`, with the options that redis-py reads from it.

    Raises ValueError when redis-py cannot read it; the text does not repeat it.
    """

    def __init__(self, url: str, lease_seconds: float, retention_seconds: float) -> None:
        self._lease = round(lease_seconds * 1000)  # ms
        self._retention = round(retention_seconds * 1000)
        client = redis.Redis(connection_pool=_pool(url))
        self._put_unless_taken = client.register_script(_PUT_UNLESS_TAKEN)
        self._delete_if_held = client.register_script(_DELETE_IF_HELD)

    def acquire(self, key: str) -> Claim:
        """Hold the key. Raises Duplicate, Busy or StoreFailed."""
        claim = Claim(key, secrets.token_hex(16))
        try:
            return self._put(claim, claim.token, self._lease)
        except StoreFailed as failed:
            failed.doubtful = claim
            raise

    def renew(self, claim: Claim) -> Claim | None:
        """The claim with a new lease, None when it was lost. Raises StoreFailed."""
        with suppress(Duplicate, Busy):
            return self._put(claim, claim.token, self._lease)
        return None

    def finish(self, claim: Claim) -> None:
        """Mark the key done, unless somebody else holds it now. Raises StoreFailed."""
        with suppress(Duplicate, Busy):
            self._put(claim, "done", self._retention)

    def release(self, claim: Claim) -> None:
        """Give the key back, unless somebody else holds it or it is done. Raises StoreFailed."""
        _run(self._delete_if_held, claim, [])

    def _put(self, claim: Claim, value: str, milliseconds: int) -> Claim:
        """Write the value. Raises Duplicate or Busy if the key is not the claim's."""
        found = _run(self._put_unless_taken, claim, [value, milliseconds])
        if found == _DONE:
            raise Duplicate("an earlier delivery of this message was done")
        if found != _WRITTEN:
            raise Busy("another delivery of this message is being handled")
        return claim


def _pool(url: str) -> redis.ConnectionPool:
    try:
        pool = redis.BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_WAIT_SECONDS,
            socket_connect_timeout=_WAIT_SECONDS,
            socket_timeout=_WAIT_SECONDS,
            # Once, for a connection that Redis has closed meanwhile; a timeout is not repeated.
            retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
            protocol=2,  # with it a connection begins without questions that we do not ask
            driver_info=None,
        )
        pool.connection_class(**pool.connection_kwargs)  # not connected: it looks at the options
    except (ValueError, TypeError, redis.RedisError):
        raise ValueError(
            "CLAIMS is no address that redis-py can read "
            "(want redis://USER:PASSWORD@HOST:PORT/DB with '#', '/', '?' and '@' in the password "
            "percent-encoded, and options that redis-py knows)"
        ) from None
    return pool


def _run(script: Script, claim: Claim, arguments: list[str | int]) -> Any:
    key = _PREFIX + claim.key.encode("utf-8", "surrogatepass")
    try:
        return script([key], [claim.token, *arguments])
    except (redis.RedisError, *_NOT_REDIS) as error:
        raise StoreFailed(f"Redis cannot be used: {_meaning(error)}") from error


def _meaning(error: Exception) -> str:
    if isinstance(error, redis.TimeoutError):
        return "timed out"
    if isinstance(error.__context__, OSError):  # of TLS the reason; its text has the address
        cause = error.__context__
        return getattr(cause, "reason", "") or cause.strerror or type(cause).__name__
    said = f"{getattr(error, 'status_code', '')} {error}"
    known = (meaning for words, meaning in _MEANINGS.items() if words in said)
    return next(known, type(error).__name__)
