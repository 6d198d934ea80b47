"""One POST to a worker, and what its answer means for the message."""

import json
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPErrorProcessor, OpenerDirector, ProxyHandler, build_opener
from urllib.request import Request as UrlRequest

from worker.client.forms import Request

# Facts: 102, 200, 201, 202 and 204 ack; 102 comes before an answer, never instead of one.
_ACKS = frozenset({200, 201, 202, 204})
_WAIT_SECONDS = 620.0  # Pub/Sub waits for the ack deadline, at most 600
_ANSWER_LIMIT = 64 * 1024  # bytes
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})  # as hosts of addresses

_ADVICE = {
    401: 'the worker wants a token: --token "$(gcloud auth print-identity-token)"',
    403: 'this caller may not push here: --token "$(gcloud auth print-identity-token)", '
    "roles/run.invoker",
    404: "nothing takes pushes at this path: --url is the worker's root",
    405: "nothing takes pushes at this path: --url is the worker's root",
}


class Unreachable(Exception):
    """Nobody answered. One line: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back. `outcome` is "" when it was not a worker that answered."""

    status: int
    outcome: str
    reason: str
    message_id: str

    @property
    def acked(self) -> bool:
        """Whether Pub/Sub would be done with the message."""
        return self.status in _ACKS

    @property
    def advice(self) -> str:
        """What to do about the status, "" where the reason says it."""
        redirected = 300 <= self.status < 400  # noqa: PLR2004 - HTTP's redirections
        moved = "a redirect nacks a push: --url must be the final address (https?)"
        return moved if redirected else _ADVICE.get(self.status, "")


class _AsItIs(HTTPErrorProcessor):
    """Neither follows a redirect nor raises for a status: Pub/Sub does not, either."""

    def http_response(self, request: UrlRequest, response: HTTPResponse) -> HTTPResponse:  # noqa: ARG002 - urllib's signature
        """The response, whatever its status."""
        return response

    def https_response(self, request: UrlRequest, response: HTTPResponse) -> HTTPResponse:  # noqa: ARG002 - urllib's signature
        """The response, whatever its status."""
        return response


def check_url(url: str, option: str = "--url") -> str:
    """The address with its path. Raises Unreachable when it is none; `option` is what gave it."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        fits = fits and "@" not in parts.netloc
    except ValueError:
        fits = False
    if not fits or not url.isprintable() or " " in url:
        raise Unreachable(f"{option} wants an address such as http://127.0.0.1:8080")
    return parts._replace(path=parts.path or "/", fragment="").geturl()


def on_this_machine(url: str) -> bool:
    """Whether the address is a loopback one."""
    return urlsplit(url).hostname in _LOOPBACK


def opener_for(url: str) -> OpenerDirector:
    """Opens `url` through the proxy of the environment, but never asks a proxy for this machine."""
    return build_opener(_AsItIs, ProxyHandler({} if on_this_machine(url) else None))


def deliver(
    url: str, request: Request, token: str = "", wait_seconds: float = _WAIT_SECONDS
) -> Answer:
    """POST the request and read the answer, which may take so long. Raises Unreachable."""
    headers = {**request.headers, "user-agent": "feature-worker-push"}
    if token:
        headers["authorization"] = f"Bearer {token}"
    post = UrlRequest(  # noqa: S310 - check_url let http and https through, nothing else
        url, request.body, {name: _utf8(value) for name, value in headers.items()}, method="POST"
    )
    try:
        with opener_for(url).open(post, timeout=wait_seconds) as response:
            return _answer(response.status, response.read(_ANSWER_LIMIT))
    except (OSError, HTTPException, ValueError) as error:
        raise Unreachable(f"cannot reach {url}: {_cause(error)}") from None


def _utf8(value: str) -> str:
    """Make http.client, which writes latin-1, write UTF-8, as Pub/Sub does."""
    return value.encode("utf-8", "surrogateescape").decode("latin-1")


def _cause(error: Exception) -> str:
    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, ConnectionRefusedError):
        return "nobody listens there (start one: python -m worker dev --port 8080; or give --url)"
    return str(getattr(inner, "strerror", None) or type(inner).__name__)


def _answer(status: int, body: bytes) -> Answer:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    fields: dict[str, Any] = said if isinstance(said, dict) else {}
    text = {name: str(fields.get(name) or "") for name in ("outcome", "reason", "message_id")}
    return Answer(status, **text)
