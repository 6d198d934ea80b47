"""PUSH_AUTH=oidc: the token that Pub/Sub signs each push with, verified here.

RS256 only. Checked: signature, iss, aud, exp and iat with skew, email and email_verified: a token
with the right audience alone could have been made by any Google project.
Source: Pub/Sub push authentication.
"""

import hashlib
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509 import load_pem_x509_certificate

from worker.outcome import Refused, Retry

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
SKEW_SECONDS = 30.0
MAX_TOKEN = 8192  # characters; Pub/Sub's are about 1,000
REFRESH_SECONDS = 10.0  # at most one fetch in this time, whatever key ids strangers make up
MAX_AGE_SECONDS = 3600.0  # keys are fetched again after this: a withdrawn one stops working
MAX_CERTS = 1024 * 1024  # bytes
MAX_TOKENS = 1024  # verified tokens remembered; one subscription uses about one an hour

Keys = Mapping[str, RSAPublicKey]
Fetch = Callable[[str], bytes]


class CertificateStore:
    """Public keys by key id, from a PEM map or a JWKS, cached, and fetched by one thread at a time.

    While the server does not answer, the keys that are known go on.
    """

    def __init__(
        self, url: str, *, fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url
        self._fetch = fetch or _fetch
        self._clock = clock
        self._keys: Keys = {}
        self._fetched = -MAX_AGE_SECONDS  # seconds on the clock, of the last success
        self._tried = -REFRESH_SECONDS
        self._lock = threading.Lock()

    def key(self, key_id: str) -> RSAPublicKey:
        """The key of that id. Raises Refused for an unknown id, Retry while no key can be had."""
        if key_id not in self._keys:
            self._refresh(wait=True)
        elif self._clock() - self._fetched > MAX_AGE_SECONDS:
            self._refresh(wait=False)
        if not self._keys:
            raise Retry("the certificates of PUSH_CERTS_URL cannot be fetched")
        found = self._keys.get(key_id)
        if found is None:
            raise Refused("the token's key id is unknown")
        return found

    def _refresh(self, *, wait: bool) -> None:
        """Fetch, unless that was tried just now. Without `wait` another thread may be at it."""
        if not self._lock.acquire(blocking=wait):
            return
        try:
            if self._clock() - self._tried < REFRESH_SECONDS:
                return
            self._tried = self._clock()
            self._keys = read_keys(self._fetch(self._url))
            self._fetched = self._clock()
        except (OSError, HTTPException, ValueError):
            return  # the keys that are known go on; with none, `key` asks for another delivery
        finally:
            self._lock.release()


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


def _fetch(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 - http(s) by Settings
        body: bytes = response.read(MAX_CERTS)
        return body


class Verifier:
    """Checks tokens; one that was verified is not verified again until it expires."""

    def __init__(
        self,
        certificates: CertificateStore,
        audience: str,
        accounts: frozenset[str],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._certificates = certificates
        self._audience = audience
        self._accounts = accounts
        self._now = now
        self._verified: dict[bytes, float] = {}  # digest of the token -> its exp

    def check(self, token: str) -> None:
        """Raises Refused (401, or 403 for a good token of another account), Retry without keys."""
        if len(token) > MAX_TOKEN:
            raise Refused("the token is too long")
        digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        expires = self._verified.get(digest)
        if expires is not None and self._now() < expires + SKEW_SECONDS:
            return
        claims = self._claims(token)
        self._check_account(claims)
        if len(self._verified) >= MAX_TOKENS:
            self._verified.clear()  # rare, and cheap to fill again
        self._verified[digest] = float(claims["exp"])

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if header.get("alg") != "RS256" or not isinstance(header.get("kid"), str):
                raise Refused("the token is not RS256 with a key id")
            claims: dict[str, Any] = jwt.decode(
                token,
                self._certificates.key(header["kid"]),
                algorithms=["RS256"],
                audience=self._audience,
                issuer=ISSUERS,
                leeway=SKEW_SECONDS,
                options={"require": ["exp", "iat", "iss", "aud"], "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            # The name of the error says enough; its text may quote the token.
            raise Refused(f"the token is not valid: {type(error).__name__}") from None
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Refused(f"the token cannot be read: {type(error).__name__}") from None
        return claims

    def _check_account(self, claims: Mapping[str, Any]) -> None:
        email = claims.get("email")
        if not isinstance(email, str) or email not in self._accounts:
            raise Refused("the token belongs to another account than PUSH_SERVICE_ACCOUNT", 403)
        if claims.get("email_verified") is not True:
            raise Refused("the token's email is not verified", 403)
