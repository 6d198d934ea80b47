"""What the attacks share: tokens made by hand, pushes, and what was written of them."""

import base64
import hashlib
import hmac
import json
import uuid
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.support.keyserver import claims_of, private_key
from tests.support.pushes import wrapped
from tests.support.rawhttp import Headers, request
from tests.support.server import ServerProcess

JSON = ("Content-Type", "application/json")
HEADER = {"alg": "RS256", "kid": "one", "typ": "JWT"}
REFUSED = {"outcome": "refused", "message_id": None, "reason": "refused"}


def new_id() -> str:
    return uuid.uuid4().hex


def part(value: Any) -> str:
    """A part of a token: bytes as they are, anything else as JSON."""
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(header: Any = HEADER, claims: Any = None, key: str = "one") -> str:
    """A token whose header and claims are anything, signed with that key as RS256 wants it."""
    text = f"{part(header)}.{part(claims_of() if claims is None else claims)}"
    signature = private_key(key).sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{part(signature)}"


def with_mac(secret: bytes, algorithm: str = "HS256") -> str:
    """A token "signed" with something public, as if that were a secret."""
    text = f"{part({**HEADER, 'alg': algorithm})}.{part(claims_of())}"
    digest = getattr(hashlib, f"sha{algorithm[2:]}")
    return f"{text}.{part(hmac.new(secret, text.encode(), digest).digest())}"


def pushing(headers: Headers, message_id: str = "") -> bytes:
    """The request of a good message, with these headers."""
    body = json.dumps(wrapped(message_id=message_id or new_id())).encode()
    return request("POST", "/", [JSON, *headers], body)


def bearing(presented: str) -> bytes:
    """The request of a good message, with this token."""
    return pushing([("Authorization", f"Bearer {presented}")])


def written_since(server: ServerProcess, start: int) -> bytes:
    """The lines from that one on, and all of stderr."""
    return b"".join(server.lines[start:]) + server.stderr().encode()


def canonical(lines: Sequence[bytes]) -> list[dict[str, Any]]:
    """The entries that close a push."""
    entries = [json.loads(line) for line in lines]
    return [entry for entry in entries if entry.get("event") == "message.processed"]
