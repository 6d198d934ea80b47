"""The quarantine desk behind its page: every step is `python -m worker quarantine`'s own."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from worker.config import SettingsInvalid, read_settings
from worker.local.page.processes import CommandFailed, Commands
from worker.local.page.site import Site

Which = Literal["folder", "dead"]

_RATE = "200"  # messages a second: this worker is on the same machine
_SECONDS = 300.0  # that a replay may take
_LINE = re.compile(r"\d+/\d+  (?P<id>sha256-[0-9a-f]+)(?:  (?P<said>.*))?")
_ID = re.compile(r"sha256-[0-9a-f]{1,64}")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place where messages are held. `name` as the commands take it; `lack` says why not."""

    which: Which
    title: str
    name: str
    lack: str = ""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command did: a line for each message, by its id, and the last word."""

    lines: Sequence[tuple[str, str]]
    summary: Sequence[str]


class Desk:
    """Raises CommandFailed from every step."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._commands = Commands(site.environment)

    def spots(self) -> list[Spot]:
        """The worker's own quarantine, and the dead letters of its subscription."""
        dead = Spot("dead", "Dead letters", self._site.dead_letters)
        return [self._folder(), dead]

    def targets(self) -> Mapping[str, str]:
        """Where replays may go: what it is called, by what it is."""
        url = self._site.worker_url()
        worker = {url: "the worker"} if url else {}
        return {**worker, self._site.topic: "the topic"}

    def held(self, spot: Spot) -> Mapping[str, Any]:
        """What is held there, and what today's worker says of it."""
        found: Mapping[str, Any] = self._commands.json(["worker.local.page.holding", spot.name])
        return found

    def show(self, spot: Spot, held_id: str) -> Mapping[str, Any]:
        """Everything about one message."""
        words = ["show", "--json", "--from", spot.name, "--service", self._site.run.service]
        found: Mapping[str, Any] = self._commands.json(_quarantine(*words, "--", _id(held_id)))
        return found

    def replay(self, spot: Spot, ids: Sequence[str], to: str) -> Done:
        """Send these again, without any id all that pass. A message that stays is no error."""
        if to not in self.targets():
            raise CommandFailed("there is no such worker any more: choose where to replay to")
        words = ["replay", "--yes", "--to", to, "--rate", _RATE, "--from", spot.name]
        return self._do([*words, *self._audit(spot), *_chosen(ids)], codes=(0, 1))

    def drop(self, spot: Spot, ids: Sequence[str]) -> Done:
        """Remove these for good."""
        if not ids:
            raise CommandFailed("no message is chosen")
        words = ["drop", "--yes", "--from", spot.name]
        return self._do([*words, *self._audit(spot), *_chosen(ids)], codes=(0,))

    def _do(self, words: Sequence[str], codes: Sequence[int]) -> Done:
        said = self._commands.run(_quarantine(*words), codes=codes, seconds=_SECONDS)
        lines, summary = [], []
        for line in said.splitlines():
            found = _LINE.fullmatch(line)
            if found:
                lines.append((found["id"], found["said"] or ""))
            else:
                summary.append(line)
        return Done(lines, summary)

    def _folder(self) -> Spot:
        title = "Quarantine"
        try:
            place = read_settings({"QUARANTINE": self._site.environment.get("QUARANTINE", "")})
        except SettingsInvalid as error:
            return Spot("folder", title, "", str(error))
        name = place.quarantine
        lack = "" if name.startswith("folder:") else f"QUARANTINE={name}: no folder holds anything"
        return Spot("folder", title, name, lack)

    def _audit(self, spot: Spot) -> list[str]:
        """A folder has its own; that of the dead letters is kept, and goes, with the state."""
        file = self._site.folder / "dead-letters-audit.jsonl"
        return ["--audit", str(file)] if spot.which == "dead" else []


def _quarantine(*words: str) -> list[str]:
    return ["worker", "quarantine", *words]


def _chosen(ids: Sequence[str]) -> list[str]:
    return ["--", *map(_id, ids)] if ids else ["--all"]


def _id(text: str) -> str:
    """An id of a held message. Raises CommandFailed for anything else."""
    if not _ID.fullmatch(text):
        raise CommandFailed("that is no id of a held message")
    return text
