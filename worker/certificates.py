"""The public keys of PUSH_CERTS_URL by key id: cached, fetched again in time, and not too often."""

import json
import logging
import math
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from http.client import HTTPException
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from worker.download import download
from worker.outcome import Refused, Retry

MAX_AGE_SECONDS = 3600.0  # keys are fetched again after this: a withdrawn one stops working
REFRESH_SECONDS = 10.0  # between two fetches for one reason, whatever key ids strangers make up
RETRY_SECONDS = 1.0  # between two fetches while no key is known
FETCH_SECONDS = 4.0  # for the server's answer, from its first byte to its last
WAIT_SECONDS = 5.0  # that one push waits for keys; its whole budget is 9 s or more
MAX_CERTS = 1024 * 1024  # bytes

Keys = Mapping[str, RSAPublicKey]
Fetch = Callable[[str], bytes]


class _Pace:
    """Allows something at once, then once in so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = -math.inf

    def allows(self, now: float) -> bool:
        """Whether it is time again. If so, the time begins anew."""
        if now - self._last < self._seconds:
            return False
        self._last = now
        return True


class CertificateStore:
    """Fetches on one thread at a time. While the server does not answer, known keys go on.

    Each reason to fetch has a pace of its own: no key at all, an unknown key id, keys that are old.
    So what strangers make up, or an hour that ends, does not keep a new key from being found.
    """

    def __init__(
        self,
        url: str,
        *,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._fetch = fetch or partial(download, limit=MAX_CERTS, seconds=FETCH_SECONDS)
        self._clock = clock
        self._keys: Keys = {}
        self._fetched = 0.0  # seconds on the clock, of the last success
        self._under_way: threading.Event | None = None  # a fetch; set when it is over
        self._lock = threading.Lock()  # of its beginning
        self._when_none = _Pace(RETRY_SECONDS)
        self._when_unknown = _Pace(REFRESH_SECONDS)
        self._when_old = _Pace(REFRESH_SECONDS)

    def key(self, key_id: str) -> RSAPublicKey:
        """The key of that id. Raises Refused for an unknown id, Retry while no key can be had."""
        until = self._clock() + WAIT_SECONDS
        for _ in range(2):  # a fetch that began before we came may be too early for a new key
            own = self._begin(key_id)
            fetch = own if key_id in self._keys else own or self._under_way
            if fetch:
                fetch.wait(until - self._clock())
            if own:
                break
        if not self._keys:
            raise Retry("the certificates of PUSH_CERTS_URL cannot be fetched")
        found = self._keys.get(key_id)
        if found is None:
            raise Refused("the token's key id is unknown")
        return found

    def _begin(self, key_id: str) -> threading.Event | None:
        """Begin to fetch if there is reason to, unless that is under way or it is too soon."""
        with self._lock:
            if self._under_way:
                return None
            reason = self._reason(key_id)
            if reason is None or not reason.allows(self._clock()):
                return None
            begun = self._under_way = threading.Event()
            threading.Thread(target=self._run, args=(begun,), name="keys", daemon=True).start()
            return begun

    def _reason(self, key_id: str) -> _Pace | None:
        if not self._keys:
            return self._when_none
        if key_id not in self._keys:
            return self._when_unknown
        return self._when_old if self._clock() - self._fetched > MAX_AGE_SECONDS else None

    def _run(self, fetch: threading.Event) -> None:
        try:
            self._keys = read_keys(self._fetch(self._url))
            self._fetched = self._clock()
        except (OSError, HTTPException, ValueError) as error:
            text = "PUSH_CERTS_URL gave no keys, those that are known go on: %s"
            logging.getLogger(__name__).warning(text, type(error).__name__)
        finally:
            # After the keys: who finds no fetch under way finds what the last one brought.
            self._under_way = None
            fetch.set()


def read_keys(document: bytes) -> Keys:
    """The RSA keys of a PEM map `{kid: certificate}` or of a JWKS `{"keys": [...]}`.

    Raises ValueError when it holds none; entries of other kinds are passed over.
    """
    try:
        parsed = json.loads(document)
    except RecursionError:
        raise ValueError("the certificates are nested too deeply") from None
    if not isinstance(parsed, dict):
        raise ValueError("the certificates are not a JSON object")  # noqa: TRY004 - bad data, not bad code
    found = parsed.get("keys")
    read = _jwk_keys(found) if isinstance(found, list) else _pem_keys(parsed)
    if not read:
        raise ValueError("the certificates hold no RSA key")
    return read


def _pem_keys(certificates: Mapping[str, Any]) -> dict[str, RSAPublicKey]:
    keys = {}
    for key_id, pem in certificates.items():
        try:
            key = load_pem_x509_certificate(str(pem).encode()).public_key()
        except (ValueError, UnsupportedAlgorithm):
            continue
        if isinstance(key, RSAPublicKey):
            keys[key_id] = key
    return keys


def _jwk_keys(jwks: list[Any]) -> dict[str, RSAPublicKey]:
    keys = {}
    for jwk in jwks:
        if isinstance(jwk, dict) and jwk.get("kty") == "RSA" and isinstance(jwk.get("kid"), str):
            try:
                key = jwt.PyJWK(jwk, algorithm="RS256").key
            except (jwt.PyJWTError, ValueError, UnsupportedAlgorithm):
                continue
            if isinstance(key, RSAPublicKey):
                keys[jwk["kid"]] = key
    return keys
