"""POST over HTTP/1.1 for push delivery: connections are kept, redirects and proxies are not.

The whole exchange has one deadline: an answer that comes drop by drop does not prolong it.
Source: RFC 9110, RFC 9112.
"""

import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from http.client import HTTPException
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from worker.local.pubsub.push.bodies import Headers, PushRequest
from worker.local.pubsub.push.connection import Answer, Connection

_IDLE = 100  # connections kept, over all endpoints
# A worker that is told to stop waits for those who keep connections to it: not for us.
IDLE_SECONDS = 1.0


class NoAnswer(Exception):
    """There is no answer that counts. One line: why."""


class Missed(NoAnswer):
    """It did not come in time."""


class Stopped(NoAnswer):
    """We did not wait for it: `Wire.close` was called."""


class Address(NamedTuple):
    """Where a push endpoint is."""

    scheme: str
    host: str
    port: int
    target: str  # path and query

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


_PORTS = {"http": 80, "https": 443}


@lru_cache(maxsize=1000)
def address_of(url: str) -> Address:
    """Read a push endpoint; user and fragment are dropped. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError("want an http or https URL")
    host = (
        parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else parts.hostname
    )
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    port = _PORTS[parts.scheme] if parts.port is None else parts.port
    return Address(parts.scheme, host, port, quote(target, safe="/?%:@!$&'()*+,;=~[]"))


class Wire:
    """Sends requests, from any thread. `tls` says whom to trust; by default as the system does."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._given_tls = tls
        self._idle: defaultdict[tuple[str, str, int], list[Connection]] = defaultdict(list)
        self._busy: set[Connection] = set()
        self._closed = False
        self._lock = threading.Lock()

    def post(self, url: str, request: PushRequest, seconds: float) -> Answer:
        """Send it and read the answer, within so many seconds of the machine. Raises NoAnswer.

        A kept connection that the other side has closed is not used. One that it closes under the
        request gives no answer: sending it again could run it twice, so that is left to Pub/Sub.
        """
        until = time.monotonic() + seconds
        try:
            with self._connection(address_of(url), until) as connection:
                return connection.post(_head(address_of(url), request), request.body, until)
        except TimeoutError:
            raise Missed(f"no answer within {seconds:.3g} s") from None
        except (OSError, HTTPException, ValueError) as error:
            if self._closed:
                raise Stopped("push delivery was stopped") from None
            raise NoAnswer(_cause(error)) from None

    def tidy(self) -> bool:
        """Close connections that were not used for IDLE_SECONDS: whether others are kept."""
        latest = time.monotonic() - IDLE_SECONDS
        with self._lock:
            for address, idle in list(self._idle.items()):
                for connection in idle:
                    if connection.used <= latest:
                        connection.close()
                self._idle[address] = [one for one in idle if one.used > latest]
            return any(self._idle.values())

    def close(self) -> None:
        """Cut what is under way, and send nothing from now on."""
        with self._lock:
            self._closed = True
            for connection in self._busy:
                connection.cut()
            for idle in self._idle.values():
                for connection in idle:
                    connection.close()
            self._idle.clear()

    @contextmanager
    def _connection(self, address: Address, until: float) -> Iterator[Connection]:
        """A connection that is ours for the block, kept afterwards if it is still good."""
        connection = self._take(address)
        try:
            connection.open(until)
            yield connection
        finally:
            with self._lock:
                self._busy.discard(connection)
                keep = connection.reusable and not self._closed
                if keep and sum(map(len, self._idle.values())) < _IDLE:
                    self._idle[address[:3]].append(connection)
                else:
                    connection.close()

    def _take(self, address: Address) -> Connection:
        with self._lock:
            if self._closed:
                raise Stopped("push delivery was stopped")
            idle = self._idle[address[:3]]
            while idle:
                connection = idle.pop()
                if connection.is_quiet():
                    break
                connection.close()
            else:
                tls = self._tls if address.scheme == "https" else None
                connection = Connection(address.host, address.port, tls)
            self._busy.add(connection)
            return connection

    @cached_property
    def _tls(self) -> ssl.SSLContext:
        return self._given_tls or ssl.create_default_context()


def _head(address: Address, request: PushRequest) -> bytes:
    own: Headers = (("host", address.authority), ("content-length", str(len(request.body))))
    lines = [f"{name}: {value}\r\n" for name, value in (*own, *request.headers)]
    return f"POST {address.target} HTTP/1.1\r\n{''.join(lines)}\r\n".encode()


def _cause(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens at the push endpoint"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or type(error).__name__}"
    if isinstance(error, ValueError):
        return "the push endpoint is no address"
    if isinstance(error, HTTPException):
        return f"the answer is not HTTP: {type(error).__name__}"
    return str(getattr(error, "strerror", None) or type(error).__name__)
