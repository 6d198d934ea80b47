"""A message that was leased -> the request that pushes it, as Pub/Sub and Cloud Run send it.

Sources: Pub/Sub push ("Receive messages", payload unwrapping), PushConfig.NoWrapper; Cloud Trace's
X-Cloud-Trace-Context and W3C Trace Context, which Cloud Run's front end adds.
"""

import base64
import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from worker.client.forms import CannotSend, check_header
from worker.local.pubsub.leases import Leased, PushTarget

Headers = tuple[tuple[str, str], ...]

_METADATA = "x-goog-pubsub-"
# Accept-Encoding is left out: the answers are to be read on the page.
_SENT: Headers = (
    ("accept", "application/json"),
    ("from", "noreply@google.com"),
    ("user-agent", "APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)"),
    ("content-type", "application/json"),
)
# An attribute may replace what is in _SENT, but nothing that the way to the worker needs.
_RESERVED = frozenset(
    {
        "authorization", "connection", "content-length", "expect", "host", "keep-alive",
        "proxy-authorization", "proxy-connection", "te", "traceparent", "trailer",
        "transfer-encoding", "upgrade", "x-cloud-trace-context",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Trace:
    """The ids of a request, made by the front end."""

    trace: str  # 32 hexadecimal digits
    span: str  # 16 hexadecimal digits

    def headers(self) -> Headers:
        """Both spellings, sampled."""
        return (
            ("traceparent", f"00-{self.trace}-{self.span}-01"),
            ("x-cloud-trace-context", f"{self.trace}/{int(self.span, 16)};o=1"),
        )


@dataclass(frozen=True, slots=True)
class PushRequest:
    """Names of headers are in lower case. Host and Content-Length are left to who sends it."""

    headers: Headers
    body: bytes

    def shown(self) -> Mapping[str, str]:
        """The headers for people: repeated ones joined, the token left out."""
        found: dict[str, str] = {}
        for name, value in self.headers:
            text = "Bearer …" if name == "authorization" else value
            found[name] = f"{found[name]}, {text}" if name in found else text
        return found


def fresh_trace() -> Trace:
    """Ids that no other request has; neither is zero."""
    return Trace(f"{secrets.randbits(127) + 1:032x}", f"{secrets.randbits(63) + 1:016x}")


def request_of(message: Leased, target: PushTarget, trace: Trace, token: str = "") -> PushRequest:
    """The request that pushes a message to its endpoint, with a token where there is one."""
    own = {**dict(_SENT), **dict(trace.headers())}
    if token:
        own["authorization"] = f"Bearer {token}"
    if not target.unwrapped:
        return PushRequest(tuple(own.items()), _envelope(message, target))
    if not target.write_metadata:
        return PushRequest(tuple(own.items()), message.data)
    carried = tuple(_carried(message.attributes))
    replaced = {name for name, _ in carried}
    kept = tuple((name, value) for name, value in own.items() if name not in replaced)
    return PushRequest((*kept, *_metadata(message, target), *carried), message.data)


def _envelope(message: Leased, target: PushTarget) -> bytes:
    published = _time(message.publish_time)
    inner: dict[str, object] = {}
    if message.attributes:
        inner["attributes"] = dict(message.attributes)
    if message.data:
        inner["data"] = base64.b64encode(message.data).decode("ascii")
    inner["messageId"] = inner["message_id"] = message.message_id
    if message.ordering_key:
        inner["orderingKey"] = message.ordering_key
    inner["publishTime"] = inner["publish_time"] = published
    body: dict[str, object] = {"message": inner, "subscription": target.subscription}
    if target.dead_letter:
        body["deliveryAttempt"] = message.attempt
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _metadata(message: Leased, target: PushTarget) -> Iterator[tuple[str, str]]:
    yield _METADATA + "subscription-name", target.subscription
    yield _METADATA + "message-id", message.message_id
    yield _METADATA + "publish-time", _time(message.publish_time)
    if message.ordering_key and _can_travel(_METADATA + "ordering-key", message.ordering_key):
        yield _METADATA + "ordering-key", message.ordering_key


def _carried(attributes: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The attributes that can be headers; the message goes without those that cannot."""
    for name, value in attributes.items():
        lower = name.lower()
        if lower not in _RESERVED and not lower.startswith(_METADATA) and _can_travel(name, value):
            yield lower, value


def _can_travel(name: str, value: str) -> bool:
    try:
        check_header(name, value)
    except CannotSend:
        return False
    return True


def _time(seconds: float) -> str:
    """As Pub/Sub writes the time of publishing: milliseconds, UTC."""
    published = datetime.fromtimestamp(round(seconds, 3), UTC)
    return published.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
