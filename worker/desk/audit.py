"""Who replayed or dropped what: entries of the worker's own form, one a line, in a file.

An entry is on the disk before its message is removed.
"""

import getpass
import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from worker.desk import DeskFailed
from worker.desk.held import Held
from worker.desk.target import Sent
from worker.jsonline import encode
from worker.log import Log
from worker.sink import ENTRY_LIMIT, Batch, Sink

REPLAYED = "quarantine.replayed"
DROPPED = "quarantine.dropped"


class Audit:
    """Writes to `path`, and to `also` (Cloud Logging). Raises DeskFailed when it cannot."""

    def __init__(self, path: Path, also: Sink | None = None) -> None:
        self._path = path
        self._log = Log(_Both(path, also)).bind(user=_user())

    def replayed(self, held: Held, target: str, sent: Sent, replays: int) -> None:
        """It was sent to the target; `replays` is how often it has been replayed by now."""
        what = f"replayed {held.id} to {target}: {sent.answer}"
        fields = {"target": target, "answer": sent.answer, "removed": sent.settled}
        self._log.notice(REPLAYED, what, **_about(held), **fields, replay_count=replays)

    def dropped(self, held: Held, place: str) -> None:
        """It is about to be removed for good."""
        what = f"dropped {held.id} from {place}"
        self._log.notice(DROPPED, what, **_about(held), quarantine=place)

    def replays(self, held: Held) -> int:
        """How often it has been replayed, by what it says itself or by this file."""
        return max(held.replays, self._counts.get(held.id, 0))

    @cached_property
    def _counts(self) -> Mapping[str, int]:
        """What the file tells of earlier replays; a line that is no entry tells nothing."""
        counts: dict[str, int] = {}
        for line in _lines(self._path):
            try:
                entry = json.loads(line)
                if entry["event"] == REPLAYED:
                    found, count = str(entry["quarantine_id"]), int(entry["replay_count"])
                    counts[found] = max(counts.get(found, 0), count)
            except (ValueError, LookupError, TypeError, RecursionError):
                continue
        return counts


class _Both:
    """The sink of the audit's log: unlike others it raises, for without an entry nothing goes."""

    def __init__(self, path: Path, also: Sink | None) -> None:
        self._path = path
        self._also = also

    def write(self, entry: Mapping[str, Any]) -> None:
        try:
            with self._path.open("ab") as file:
                file.write(encode(entry, ENTRY_LIMIT))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise DeskFailed(f"cannot write the audit to {self._path}: {error.strerror}") from None
        if self._also is not None:
            self._also.write(entry)

    def batch(self) -> Batch:
        return self

    def close(self) -> None:
        """Nothing is held."""


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise DeskFailed(f"cannot read the audit {path}: {error.strerror}") from None


def _about(held: Held) -> dict[str, Any]:
    return {
        "quarantine_id": held.id,
        "message_id": held.message.id if held.message else None,
        "feature": held.feature or None,
        "reason": held.reason,
    }


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        return str(os.getuid())
