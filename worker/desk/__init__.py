"""The quarantine desk: held messages are looked at, checked again, replayed, dropped.

Nothing is lost by an interruption at any point, and everything is safe to repeat: a message is sent
first, written into the audit file second, and removed last. One that is sent twice is handled once,
because it carries the same key each time.
"""

from collections.abc import Iterable
from typing import Protocol, Self

from worker.desk.held import Held


class DeskFailed(Exception):
    """A place, a target or the audit file cannot be used. One line: which, why, what to do."""


class Place(Protocol):
    """Where messages are held. Every method raises DeskFailed.

    Inside its `with` block nobody else gets the messages, if the place can see to that; at the end
    of it, whatever ends it, those that were not removed are there for everybody again.
    """

    name: str
    cut: bool  # there may be more messages than `messages` gave

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def messages(self) -> Iterable[Held]:
        """What is held, each message once, whatever else lies there included."""

    def remove(self, held: Held) -> None:
        """It is done with. To remove what is gone already is no error."""

    def count(self, held: Held, replays: int) -> None:
        """Remember how often the message has been replayed, if the place can."""
