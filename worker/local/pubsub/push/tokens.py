"""The OIDC tokens of authenticated push: really signed, with a key that is made once.

Sources: Pub/Sub "Authentication for push subscriptions" (the claims); the two documents of Google's
public keys, https://www.googleapis.com/oauth2/v1/certs (PEM) and /oauth2/v3/certs (JWKS).
"""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

from worker.local.database import StateUnusable

ISSUER = "https://accounts.google.com"
_FILE = "push-key.pem"
_KEY_BITS = 2048
_LIFE_SECONDS = 3600
_REST_SECONDS = 300  # a token that expires sooner is not used any more
_CERTIFICATE_LIFE = timedelta(days=3650)
_MOST = 1000  # tokens remembered


class Tokens:
    """Signs tokens for service accounts that need not exist. Safe to share.

    The key is kept in `folder`, for its owner's eyes only. `now` is the machine's time: whoever
    checks a token goes by that. Raises StateUnusable.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._key = _key_in(folder)
        public = self._key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self._key_id = hashlib.sha256(public).hexdigest()[:40]
        self._certificate = _certificate(self._key, now())
        self._made: dict[tuple[str, str], tuple[float, str]] = {}
        self._lock = threading.Lock()

    def token(self, account: str, audience: str) -> str:
        """A token of `account` (its email) for `audience`, good for 5 minutes to an hour."""
        with self._lock:
            expires, token = self._made.get((account, audience), (0.0, ""))
            if self._now() > expires - _REST_SECONDS:
                if len(self._made) >= _MOST:
                    self._made.clear()
                expires, token = self._sign(account, audience)
                self._made[account, audience] = (expires, token)
            return token

    def certificates(self) -> Mapping[str, str]:
        """Certificates in PEM by key id."""
        return {self._key_id: self._certificate}

    def jwks(self) -> Mapping[str, Any]:
        """The public key as a JSON Web Key Set: RFC 7517."""
        key = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self._key.public_key()))
        shown = {name: key[name] for name in ("kty", "n", "e")}
        return {"keys": [{**shown, "kid": self._key_id, "alg": "RS256", "use": "sig"}]}

    def _sign(self, account: str, audience: str) -> tuple[float, str]:
        issued = int(self._now())
        claims = {
            "aud": audience,
            "azp": _subject(account),
            "email": account,
            "email_verified": True,
            "exp": issued + _LIFE_SECONDS,
            "iat": issued,
            "iss": ISSUER,
            "sub": _subject(account),
        }
        token = jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": self._key_id})
        return issued + _LIFE_SECONDS, token


def _subject(account: str) -> str:
    """The unique id of an account: 21 digits, the same for the same email."""
    digest = hashlib.sha256(account.encode()).digest()
    return f"1{int.from_bytes(digest[:16], 'big') % 10**20:020}"


def _key_in(folder: Path) -> RSAPrivateKey:
    path = folder / _FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _keep(path, generate_private_key(public_exponent=65537, key_size=_KEY_BITS))
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        why = getattr(error, "strerror", None) or "it holds no key"
        raise StateUnusable(f"{path} cannot be used: {why} (--reset begins anew)") from None
    if not isinstance(key, RSAPrivateKey):
        raise StateUnusable(f"{path} cannot be used: it holds no RSA key (--reset begins anew)")
    return key


def _keep(path: Path, key: RSAPrivateKey) -> None:
    """Write it whole or not at all, never readable by others. The first of several wins."""
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    new = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123 - a descriptor
        file.write(pem)
    with suppress(FileExistsError):
        os.link(new, path)
    new.unlink()


def _certificate(key: RSAPrivateKey, now: float) -> str:
    """A certificate that the key signed itself, in PEM."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "laptop cloud push")])
    start = datetime.fromtimestamp(now, UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _CERTIFICATE_LIFE)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()
