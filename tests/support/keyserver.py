"""A stand-in for Google's certificates, real RSA keys, and tokens as Pub/Sub signs them."""

import functools
import json
import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.support.standin import Call, Reply, StandIn

AUDIENCE = "https://worker.example/push"
ACCOUNT = "pusher@demo-project.iam.gserviceaccount.com"
ISSUER = "https://accounts.google.com"

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


_making = threading.Lock()


@functools.cache
def _make(_name: str) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key(name: str) -> rsa.RSAPrivateKey:
    """The key of that name, made once per run, whichever threads ask for it."""
    with _making:
        return _make(name)


def public_pem(name: str) -> bytes:
    return (
        private_key(name)
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )


@functools.cache
def certificate(name: str, key: PrivateKey | None = None) -> str:
    """A self-signed certificate in PEM, as the map at /oauth2/v1/certs holds."""
    key = key or private_key(name)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def jwk(name: str) -> dict[str, Any]:
    shown = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(private_key(name).public_key()))
    return {**shown, "kid": name, "alg": "RS256", "use": "sig"}


def pem_map(names: Iterable[str]) -> bytes:
    return json.dumps({name: certificate(name) for name in names}).encode()


def jwks(names: Iterable[str]) -> bytes:
    return json.dumps({"keys": [jwk(name) for name in names]}).encode()


def claims_of(**changed: Any) -> dict[str, Any]:
    """The claims of a good token; a claim that is None is left out."""
    now = int(time.time())
    good = {
        "aud": AUDIENCE,
        "azp": "1234567890",
        "email": ACCOUNT,
        "email_verified": True,
        "exp": now + 3600,
        "iat": now,
        "iss": ISSUER,
        "sub": "1234567890",
    }
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def token(key: str = "one", *, kid: str | None = None, **changed: Any) -> str:
    """A token signed with that key."""
    headers = {"kid": key if kid is None else kid}
    claims = json.dumps(claims_of(**changed)).encode()
    return jwt.api_jws.encode(claims, private_key(key), algorithm="RS256", headers=headers)


class KeyServer(StandIn):
    """Serves `names` as a PEM map at /certs and as a JWKS at /jwks; `down` makes it answer 503."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.down = False
        super().__init__(self._keys)

    def _keys(self, call: Call) -> Reply:
        if self.down:
            return Reply(503)
        return Reply(200, jwks(self.names) if call.path == "/jwks" else pem_map(self.names))
