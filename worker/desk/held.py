"""One value for every held message, whatever the place and whoever put it there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from worker.message import Message

DEAD_LETTERED = "dead_lettered"  # beside the kinds of worker.quarantine: Pub/Sub gave up on it
REPLAY_COUNT = "replay_count"  # an attribute of what was replayed, and a field of a record


@dataclass(frozen=True, slots=True)
class Held:
    """A held message. What is no quarantined message at all is `foreign`: `reason` says why.

    `message` is None when there is none to read: `problem` says what today's worker says of it, and
    `body` are the bytes that came. `kind` says who rejected it, "" where nobody wrote it down.
    """

    id: str
    reason: str
    kind: str = ""
    message: Message | None = None
    problem: str = ""
    body: bytes = b""
    feature: str = ""
    time: datetime | None = None  # aware: when it was quarantined
    attempts: int = 0  # deliveries before that, 0 where nobody counted
    replays: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    foreign: bool = False

    @property
    def data(self) -> bytes:
        """The message's data, else the bytes that came."""
        return self.message.data if self.message else self.body

    @property
    def since(self) -> str:
        """A text to sort by: oldest first, those without a time last."""
        time = (self.message and self.message.publish_time) or self.time
        return f"{time.timestamp():020.6f}" if time else "~"
