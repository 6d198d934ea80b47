"""The pushes that every server gets: the same bytes, as Pub/Sub and Cloud Run send them."""

import base64
import json
from dataclasses import dataclass

from tests.benchmarks.connection import ID_MARK
from tests.support.pushes import PUBLISHED, SUBSCRIPTION, wrapped

FEATURE = "benchmark"
BLOCKING_FEATURE = "sleep_20ms"
BLOCKING_SECONDS = 0.02
LINE = "one line of a longer text".ljust(100, ".")  # of a payload's `lines`

SIZES = {"200 B": 200, "10 kB": 10_000, "1 MB": 1_000_000}  # bytes of a request's body

# What comes with a push besides the token; X-Forwarded-For and the like say nothing on loopback.
_HEADERS = (
    "Host: worker.example",
    "Content-Type: application/json",
    "Accept: application/json",
    "From: noreply@google.com",
    "User-Agent: APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "X-Cloud-Trace-Context: 0af7651916cd43dd8448eb211c80319c/13235353014750950193;o=1",
)
# What Eventarc adds for a server that takes CloudEvents.
EVENTARC_HEADERS = (
    f"ce-id: {ID_MARK}",
    "ce-source: //pubsub.googleapis.com/projects/demo/topics/features",
    "ce-specversion: 1.0",
    "ce-type: google.cloud.pubsub.topic.v1.messagePublished",
    f"ce-time: {PUBLISHED}",
)


@dataclass(frozen=True)
class Push:
    """What a load sends, but for the port: see Requests."""

    heads: list[str]
    body: str


def push(body: str, *tokens: str, headers: tuple[str, ...] = ()) -> Push:
    """Pushes of that body, each with the next of `tokens`."""
    length = f"Content-Length: {len(body)}"
    heads = []
    for token in tokens:
        lines = ("POST / HTTP/1.1", *_HEADERS, f"Authorization: Bearer {token}", *headers, length)
        heads.append("\r\n".join((*lines, "", "")))
    return Push(heads, body)


def usual_body(feature: str = FEATURE) -> str:
    """A small message exactly as Pub/Sub wraps it, with every field twice."""
    return json.dumps(wrapped(_payload(feature, ["verify logs"]), message_id=ID_MARK))


def sized_body(size: int) -> str:
    """A wrapped push of that many bytes, from 200; what is left over are spaces at its end."""
    lines: list[str] = []
    room = _room(size, lines)
    if room > 0:
        lines = [LINE] * (room // (len(LINE) + 3))
        lines.append("." * max(0, _room(size, [*lines, ""])))
    return _smallest(lines).ljust(size)


def _room(size: int, lines: list[str]) -> int:
    """Characters that the payload can still take; 4 of base64 stand for 3."""
    return (size - len(_smallest(lines))) * 3 // 4


def _smallest(lines: list[str]) -> str:
    payload = json.dumps(_payload(FEATURE, lines), separators=(",", ":")).encode()
    message = {"data": base64.b64encode(payload).decode(), "messageId": ID_MARK}
    return json.dumps({"message": message, "subscription": SUBSCRIPTION}, separators=(",", ":"))


def _payload(feature: str, lines: list[str]) -> dict[str, object]:
    return {"feature": feature, "requirements": {"lines": lines} if lines else {}}
