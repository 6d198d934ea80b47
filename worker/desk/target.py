"""Where replays go, and what becomes of them."""

from dataclasses import dataclass
from typing import Protocol

from worker.desk.held import REPLAY_COUNT, Held
from worker.message import Message
from worker.quarantine.attributes import ADDED


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of a replay. `settled`: others have the message now, it need not be held."""

    answer: str
    settled: bool
    rejected: bool = False


class Target(Protocol):
    """Takes replays."""

    name: str

    def send(self, held: Held, message: Message, replays: int) -> Sent:
        """Send the message of `held` for the `replays`th time.

        Raises DeskFailed when the target can take none at all.
        """


def attributes_again(message: Message, replays: int) -> dict[str, str]:
    """As they were published, with the count that comes back with it if it is rejected again."""
    published = {name: value for name, value in message.attributes.items() if name not in ADDED}
    return {**published, REPLAY_COUNT: str(replays)}
