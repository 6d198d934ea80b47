"""fetch_url: fetch what is at an address of the internet, and say what came."""

import hashlib
import io
import ipaddress
import socket
import ssl
from types import SimpleNamespace
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, HttpUrl

from worker import Context, Reject, Requirements, Retry, feature

MOST_BYTES = 5 * 1024 * 1024  # of an answer, its head included
SPARE_SECONDS = 0.5  # of the deadline, to say Retry in
PASSING = {429, *range(500, 600)}
UNICAST = ipaddress.IPv6Network("2000::/3")  # so nothing that stands for an IPv4 address


class FetchUrl(Requirements):
    """Where to look."""

    url: HttpUrl = Field(
        examples=["https://example.com/"], description="http or https",
        json_schema_extra={"pattern": "^https?://"},
    )  # fmt: skip


class Fetched(BaseModel):
    """What was there."""

    status: int
    bytes: int
    sha256: str
    content_type: str | None


@feature("fetch_url")
def fetch_url(want: FetchUrl, context: Context) -> Fetched:
    """GET the address and describe the answer. Redirects are not followed."""
    from http.client import HTTPException, HTTPResponse  # noqa: PLC0415 - no start waits for it

    try:
        received = _fetch(want.url, context)
        link = SimpleNamespace(makefile=lambda _mode: io.BytesIO(received))
        answer = HTTPResponse(link)  # type: ignore[arg-type]  # all that it asks of a socket
        answer.begin()
        body = answer.read()  # whole, or it raises
    except (OSError, HTTPException) as error:
        raise Retry(f"the server cannot be reached: {type(error).__name__}") from error
    if answer.status in PASSING:
        raise Retry(f"the server answered {answer.status}")
    if answer.status not in range(200, 300):
        raise Reject(f"the server answered {answer.status}")
    kind, digest = answer.headers["Content-Type"], hashlib.sha256(body).hexdigest()
    return Fetched(status=answer.status, bytes=len(body), sha256=digest, content_type=kind)


def _fetch(url: HttpUrl, context: Context) -> bytes:
    """All that the server sends until it hangs up: each wait is for what is left of the time."""
    netloc = urlsplit(str(url)).netloc
    if "@" in netloc:
        raise Reject("url: a user or password in it would be lost")
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    head = f"GET {path} HTTP/1.1\r\nHost: {netloc}\r\nConnection: close\r\n"
    received = bytearray()
    with _connect(url, context) as link:
        link.sendall(
            f"{head}Accept-Encoding: identity\r\nUser-Agent: feature-worker\r\n\r\n".encode()
        )
        while chunk := link.recv(65536):
            received += chunk
            if len(received) > MOST_BYTES:
                raise Reject(f"the answer is larger than {MOST_BYTES} bytes")
            link.settimeout(_left(context))
    if b"\r\n\r\n" not in received:
        raise ConnectionResetError("the head of the answer has no end")
    return bytes(received)


def _connect(url: HttpUrl, context: Context) -> socket.socket:
    """A connection to an address that was checked: the name is looked up once."""
    host = (url.host or "").strip("[]")
    found = socket.getaddrinfo(host.encode(), url.port, type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    if not all(map(is_public, addresses)):
        raise Reject("url: leads into a private network")
    link = socket.create_connection((addresses[0], url.port or 0), _left(context))
    if url.scheme == "http":
        return link
    return ssl.create_default_context().wrap_socket(link, server_hostname=host)


def is_public(address: str) -> bool:
    """Whether it is the internet's: not of this machine, our network or the metadata server."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address) and (ip not in UNICAST or ip.sixtofour):
        return False
    return ip.is_global and not ip.is_multicast


def _left(context: Context) -> float:
    context.deadline.check()
    return max(context.deadline.remaining() - SPARE_SECONDS, 0.01)
