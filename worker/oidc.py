"""PUSH_AUTH=oidc: the token that Pub/Sub signs each push with, verified here.

RS256 only. Checked: signature, iss, aud, exp and iat with skew, email and email_verified: a token
with the right audience alone could have been made by any Google project.
Source: Pub/Sub push authentication.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from typing import Any

import jwt

from worker.certificates import CertificateStore
from worker.outcome import Refused

ISSUERS = ("https://accounts.google.com", "accounts.google.com")
SKEW_SECONDS = 30.0
MAX_TOKEN = 8192  # characters; Pub/Sub's are about 1,000
MAX_TOKENS = 1024  # verified tokens remembered; one subscription uses about one an hour

_TOKEN = re.compile(r"([\w-]+)\.([\w-]+)\.[\w-]+", re.ASCII)  # base64url without padding: RFC 7515
_LATEST = 2**53  # seconds: whatever a time in a token is, it is a number that a double holds


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

    def _claims(self, token: str) -> Mapping[str, Any]:
        try:
            key_id = _key_id(token)
            claims = jwt.decode(
                token,
                self._certificates.key(key_id),
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
        _check_times(claims)
        return claims

    def _check_account(self, claims: Mapping[str, Any]) -> None:
        email = claims.get("email")
        if not isinstance(email, str) or email not in self._accounts:
            raise Refused("the token belongs to another account than PUSH_SERVICE_ACCOUNT", 403)
        if claims.get("email_verified") is not True:
            raise Refused("the token's email is not verified", 403)


def _key_id(token: str) -> str:
    """The id of the key that the token says it was signed with; nothing of it is verified yet."""
    parts = _TOKEN.fullmatch(token)
    if parts is None:
        raise Refused("the token is not three parts in base64url")
    header, _ = (_read(part) for part in parts.groups())
    key_id = header.get("kid")
    if header.get("alg") != "RS256" or not isinstance(key_id, str):
        raise Refused("the token is not RS256 with a key id")
    return key_id


def _read(part: str) -> dict[str, Any]:
    """The JSON object in a part of a token. Raises ValueError."""
    text = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    found = json.loads(text, object_pairs_hook=_unique)
    if not isinstance(found, dict):
        raise ValueError("not an object")  # noqa: TRY004 - bad data, not bad code
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 7519: a name that is there twice means different things to different readers."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("the token says something twice")
    return found


def _check_times(claims: Mapping[str, Any]) -> None:
    """PyJWT takes "123" and true for times; they are numbers, says RFC 7519."""
    for name in ("exp", "iat", "nbf"):
        value = claims.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value < _LATEST:
            raise Refused(f"the token's {name} is not a time")
