"""What is known of a message that is pushed (Delivery) and of each try (Attempt)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Result = Literal["pending", "ack", "nack", "deadline", "unreachable", "dropped"]

DATA_KEPT = 64 * 1024  # bytes of a message's data
BODY_KEPT = 4 * 1024  # characters of an answer's body


@dataclass(frozen=True, slots=True)
class Attempt:
    """One push request. `started` is the clock's time; `seconds` the machine's, until the answer.

    Its ids are 0 until Deliveries has given it some. `result` is "pending" until it has ended;
    "dropped" is an answer thrown away by a fault. `outcome` and `reason` are the worker's words; of
    an attempt without an answer, `reason` says why there was none.
    """

    id: int
    delivery_id: int
    subscription: str
    message_id: str
    attempt: int  # 1 and more: how often Pub/Sub has tried, as far as it counts
    endpoint: str
    started: float  # seconds since the epoch
    seconds: float = 0.0
    status: int = 0  # 0: no answer
    result: Result = "pending"
    outcome: str = ""
    reason: str = ""
    request_headers: Mapping[str, str] = field(default_factory=dict)  # without the token
    request_size: int = 0  # bytes of the body
    response_headers: Mapping[str, str] = field(default_factory=dict)
    response_body: str = ""  # its first BODY_KEPT characters
    response_size: int = 0  # bytes of the body, as far as it was read
    trace: str = ""  # 32 hexadecimal digits
    span: str = ""  # 16 hexadecimal digits
    fault: str = ""  # what was done to it on purpose: "delay, duplicate"

    @property
    def ending(self) -> str:
        """How it ended, in one word: what the worker called it if that counted, else the result."""
        return self.outcome if self.outcome and self.result in ("ack", "nack") else self.result


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to one subscription.

    `outcome` is done, once it was, though it may be delivered again; else that of its last attempt.
    """

    id: int
    subscription: str
    message_id: str
    topic: str
    publish_time: float  # seconds since the epoch
    data: bytes  # its first DATA_KEPT bytes
    data_size: int  # bytes
    attributes: Mapping[str, str]
    ordering_key: str
    attempts: int
    outcome: str
    last_time: float  # seconds since the epoch: when the last attempt began


@dataclass(frozen=True, slots=True)
class TimelineBucket:
    """The attempts that began within `seconds` from `start`: how many ended how, and how fast."""

    start: float  # seconds since the epoch
    seconds: float
    counts: Mapping[str, int]  # by ending
    p50: float  # seconds until the answer; 0.0 where none ended
    p99: float
