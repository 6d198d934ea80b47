"""Messages of every kind, each with the end that it must come to."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from random import Random
from typing import Any, NamedTuple

from tests.support.pushes import wrapped


class Fate(StrEnum):
    """What a message may end as; there is no other."""

    HANDLED = "handled once"
    QUARANTINED = "quarantined"
    HANDED_BACK = "handed back"  # Pub/Sub still has it


class Kind(NamedTuple):
    """What the messages of a kind ask for, and of whom. Without a feature they are no JSON."""

    name: str
    fate: Fate
    work: dict[str, Any] | None = None
    feature: str = "ledger"

    def data(self, number: int) -> bytes:
        """The data of one message: no two are the same."""
        payload: dict[str, Any] = {"feature": self.feature, "description": f"{self.name} {number}"}
        if self.work is not None:
            payload["requirements"] = self.work
        return json.dumps(payload).encode() if self.feature else b"\xff\x00 %d" % number


QUICK = Kind("quick", Fate.HANDLED, {})
SLOW = Kind("slow", Fate.HANDLED, {"seconds": 0.4})
RETRY_FIRST = Kind("retry-first", Fate.HANDLED, {"first": "retry", "seconds": 0.05})
CRASH_FIRST = Kind("crash-first", Fate.HANDLED, {"first": "crash"})
REJECT = Kind("reject", Fate.QUARANTINED, {"end": "reject"})
NOT_YET = Kind("not-yet", Fate.HANDED_BACK, {"end": "retry"})
BAD_WORK = Kind("bad-work", Fate.QUARANTINED, {"seconds": "soon"})
NOT_JSON = Kind("not-json", Fate.QUARANTINED, feature="")
UNKNOWN = Kind("unknown", Fate.QUARANTINED, feature="no_such_feature")

BAD = (REJECT, BAD_WORK, NOT_JSON, UNKNOWN)
EVERY = (*[QUICK, SLOW] * 5, *[RETRY_FIRST, CRASH_FIRST] * 2, *BAD, NOT_YET)


@dataclass(frozen=True)
class Sent:
    """A message on its way. `body` is the direct push of it, b"" when the emulator pushes."""

    id: str
    kind: Kind
    data: bytes
    body: bytes = b""


_numbers = count(1)


def pushed(kind: Kind, number: int) -> Sent:
    """A direct push of the message of that kind and number."""
    message_id, data = f"{kind.name}-{number}", kind.data(number)
    return Sent(message_id, kind, data, json.dumps(wrapped(data, message_id=message_id)).encode())


def to_push(kinds: Sequence[Kind]) -> list[Sent]:
    """A new message of each of these kinds, for a direct push."""
    return [pushed(kind, number) for kind, number in _numbered(kinds)]


def to_publish(kinds: Sequence[Kind]) -> Iterator[tuple[Kind, bytes]]:
    """The data of a message of each of these kinds; who publishes it learns its id."""
    return ((kind, kind.data(number)) for kind, number in _numbered(kinds))


def _numbered(kinds: Sequence[Kind]) -> Iterator[tuple[Kind, int]]:
    return ((kind, next(_numbers)) for kind in kinds)


def mixed(random: Random, number: int) -> list[Kind]:
    """So many kinds, each at least once if there is room."""
    kinds = [EVERY[index % len(EVERY)] for index in range(number)]
    random.shuffle(kinds)
    return kinds
