"""What a handler knows of its message besides the requirements."""

from typing import NamedTuple

from worker.artifacts import Artifacts, NoArtifacts
from worker.deadline import Deadline
from worker.log import Log
from worker.message import Message

_NONE = NoArtifacts()


class Context(NamedTuple):
    """What a handler knows besides its requirements.

    `log` has the message's id and trace bound. Pass `deadline.remaining()` (seconds) to clients as
    a timeout. `artifacts` keeps files, where ARTIFACTS says. `features` are the names of all
    features that this worker has.
    """

    message: Message
    description: str
    log: Log
    deadline: Deadline
    artifacts: Artifacts = _NONE
    features: frozenset[str] = frozenset()

    @property
    def attempt(self) -> int | None:
        """Pub/Sub's delivery attempt: 1 first, approximate, None without a dead-letter policy."""
        return self.message.delivery_attempt
