"""What today's worker would say of a held message. No handler is run."""

from dataclasses import dataclass

from worker.desk.held import DEAD_LETTERED, Held
from worker.outcome import Reject
from worker.quarantine import HANDLER
from worker.registry import Features


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is why the message would be rejected now, "" for one that would pass."""

    held: Held
    reason: str

    @property
    def passes(self) -> bool:
        """Whether it would come to its handler."""
        return not self.reason

    @property
    def doubt(self) -> bool:
        """It passes, but what was wrong was for its handler to find: only that one knows."""
        return self.passes and self.held.kind in (HANDLER, DEAD_LETTERED)


def check(held: Held, features: Features) -> Verdict:
    """Validate its payload and its requirements as the worker does before it calls the handler."""
    if held.message is None:
        return Verdict(held, held.problem)
    try:
        payload = features.read(held.message)
        feature, payload = features.route(payload)
        feature.requirements_of(payload)
    except Reject as reject:
        return Verdict(held, reject.reason)
    except Exception as error:  # noqa: BLE001 - a model's own validators may raise anything
        return Verdict(held, f"its validation crashes: {type(error).__name__}")
    return Verdict(held, "")
