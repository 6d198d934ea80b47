"""How a push ended, and what is told of it: to the caller, and in the canonical entry."""

import logging
import traceback
from collections.abc import Mapping
from typing import Any, NamedTuple

from worker.outcome import CRASHED, OVERLOADED, REFUSED, REJECTED, Outcome, Stop


class Answer(NamedTuple):
    """What the edge says to the caller. Never an echo of the request."""

    outcome: Outcome
    status: int
    message_id: str | None
    reason: str

    def body(self) -> dict[str, str | None]:
        """For the person with curl."""
        return {
            "outcome": self.outcome.name,
            "message_id": self.message_id,
            "reason": self.reason,
        }


class Ending(NamedTuple):
    """`reason` and `fields` are for the canonical entry."""

    outcome: Outcome
    status: int
    reason: str
    fields: Mapping[str, Any] = {}

    @classmethod
    def by(cls, stop: Stop) -> "Ending":
        """That which an exception of ours has chosen."""
        return cls(stop.outcome, stop.status, stop.reason, stop.fields)

    @classmethod
    def by_crash(cls, error: BaseException, fields: Mapping[str, Any]) -> "Ending":
        """Any other exception. It says where; the text may repeat the payload."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        return cls(CRASHED, CRASHED.status, f"{type(error).__name__}{place}", fields)

    @property
    def level(self) -> int:
        """Logging number of the canonical entry: what could not be quarantined is an error."""
        failed = self.outcome is REJECTED and self.status != REJECTED.status
        return logging.ERROR if failed else self.outcome.level

    def answer(self, message_id: str | None) -> Answer:
        """What the caller learns: nothing of us while nobody knows who it is."""
        reason = self.reason
        if self.outcome is REFUSED and self.status in (401, 403):
            reason = "refused"
        if self.outcome is OVERLOADED:
            reason = "no handler thread is free"
        return Answer(self.outcome, self.status, message_id, reason)
