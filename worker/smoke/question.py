"""What is to be proved, and what was sent to prove it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic, sleep
from uuid import uuid4

from worker.client.deliver import Answer
from worker.deployment import Deployment
from worker.message import PubsubMessage

WAIT_SECONDS = 90.0  # Cloud Logging shows most entries after seconds, some after a minute


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Time:
    """The time of this machine: of day (aware), and in seconds to measure with."""

    now: Callable[[], datetime] = _now
    seconds: Callable[[], float] = monotonic
    sleep: Callable[[float], None] = sleep


@dataclass(frozen=True, slots=True)
class Question:
    """Does this deployment receive, handle and log? With a `url`: does what answers there?"""

    deployment: Deployment
    url: str = ""  # of a revision; "" asks through the topic
    audience: str = ""  # of the token; "" is the service's address
    account: str = ""  # whose token it is, an e-mail address; "" is the push account
    revision: str = ""  # that has to handle it; "" is any
    wait_seconds: float = WAIT_SECONDS

    @property
    def mode(self) -> str:
        """How the message gets there: topic or url."""
        return "url" if self.url else "topic"

    @property
    def topic(self) -> str:
        """`projects/P/topics/T`."""
        return self.deployment.topic_name(self.deployment.topic)

    @property
    def subscription(self) -> str:
        """`projects/P/subscriptions/S`."""
        return self.deployment.subscription_name(self.deployment.subscription)

    @property
    def push_account(self) -> str:
        """The e-mail address of the account whose token is on a push."""
        return self.account or self.deployment.email(self.deployment.push_account)


@dataclass(frozen=True, slots=True)
class Sent:
    """The message: once it was published, or pushed to the url."""

    nonce: str
    message_id: str
    began: datetime  # aware, as all times here
    ended: datetime
    answer: Answer | None = None  # of the url
    unreachable: str = ""  # why the url did not answer
    missing: bool = False  # there is no such topic

    @property
    def taken(self) -> bool:
        """Whether it is worth waiting for a log entry."""
        if self.answer is not None:
            return bool(self.answer.outcome) or self.answer.acked
        return not (self.missing or self.unreachable)


@dataclass(frozen=True, slots=True)
class Content:
    """The payload of a smoke test that nobody else has sent."""

    nonce: str = field(default_factory=lambda: f"smoke-{uuid4().hex}")

    @property
    def message(self) -> PubsubMessage:
        """The message to publish."""
        payload = {
            "feature": "smoke_test",
            "description": "python -m worker smoke",
            "requirements": {"nonce": self.nonce},
        }
        return PubsubMessage(json.dumps(payload).encode("ascii"))
