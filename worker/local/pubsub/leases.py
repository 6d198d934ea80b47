"""What delivery works with: a message that was handed out, and where pushes go."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Leased:
    """A message that was handed out and is not handed out again until its lease ends."""

    ack_id: str  # of this lease alone: the next one of the same message has another
    message_id: str
    data: bytes
    attributes: Mapping[str, str]
    ordering_key: str  # "" if it has none
    publish_time: float  # seconds since the epoch
    attempt: int  # 1 + nacks + deadline misses
    topic: str  # projects/P/topics/T


@dataclass(frozen=True, slots=True)
class PushTarget:
    """A subscription that has a push endpoint."""

    subscription: str  # projects/P/subscriptions/S
    endpoint: str  # URL
    ack_deadline_seconds: int  # the timeout of a push request as well
    unwrapped: bool  # the body is the data alone (PushConfig.NoWrapper)
    write_metadata: bool  # of an unwrapped one: id, time and attributes become headers
    service_account: str  # whose OIDC token a push carries; "" for no token
    audience: str  # of that token; "" where none is configured: then it is the endpoint
    dead_letter: bool  # has a dead-letter policy, so a push says its attempt
    ordered: bool  # messages of one ordering key are delivered one after the other
