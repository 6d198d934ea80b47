"""What is sent (PubsubMessage), what arrives (Push) and what it means (Message): frozen values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from worker.outcome import Stop

# Kept out of the log and out of the quarantine: whoever reads those must not be able to push.
SECRET_HEADERS = frozenset(
    {"authorization", "cookie", "proxy-authorization", "x-serverless-authorization"}
)


class Form(StrEnum):
    """How a message reached us: the delivery forms that Pub/Sub and Eventarc use."""

    WRAPPED = "wrapped"
    UNWRAPPED = "unwrapped"
    UNWRAPPED_NO_METADATA = "unwrapped-no-metadata"
    CLOUDEVENT_BINARY = "cloudevent-binary"
    CLOUDEVENT_STRUCTURED = "cloudevent-structured"
    CLOUDEVENT_ATTRIBUTES = "cloudevent-attributes"


@dataclass(frozen=True, slots=True)
class PubsubMessage:
    """What a publisher sends."""

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""


class Push(NamedTuple):
    """One HTTP request as the edge read it: nothing decoded, nothing trusted.

    `headers` are (lower-case name, value) pairs in their order, repeated ones included.
    `problem` says why the body could not be read (too large, too slow); `body` is b"" then.
    """

    headers: tuple[tuple[str, str], ...]
    body: bytes
    problem: Stop | None = None

    def header(self, name: str) -> str | None:
        """The first value of a header (name in lower case), or None."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def public_headers(self) -> dict[str, str]:
        """The headers without credentials; repeated ones joined by a comma, as HTTP allows."""
        public: dict[str, str] = {}
        for name, value in self.headers:
            if name not in SECRET_HEADERS:
                public[name] = f"{public[name]}, {value}" if name in public else value
        return public


class Message(NamedTuple):
    """A Pub/Sub message, the same whatever form it was delivered in.

    `id_derived` is true when the delivery carried no id and one was made from a digest of the
    content. `delivery_attempt` is None unless the subscription has a dead-letter policy.
    """

    id: str
    data: bytes
    attributes: Mapping[str, str]
    form: Form
    subscription: str = ""  # projects/P/subscriptions/S, or "" where the delivery does not say
    source: str = ""  # of a CloudEvent that is no Pub/Sub message: its id is unique within this
    publish_time: datetime | None = None  # aware
    delivery_attempt: int | None = None
    ordering_key: str = ""
    id_derived: bool = False


def digest_id(*parts: bytes) -> str:
    """A stable id for content that came without one: the same bytes give the same id."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return f"sha256-{digest.hexdigest()[:32]}"
