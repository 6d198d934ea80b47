"""What the ledger handler has written: the runs of every message, in the order of the file."""

import json
from dataclasses import dataclass
from math import inf
from pathlib import Path


@dataclass
class Run:
    """One run of a handler. `began` and `ended` are lines of the ledger: who came first."""

    message_id: str
    pid: int
    began: float
    ended: float = inf
    end: str = ""  # done, retry, crash or reject; "" while it runs, or when it was cut off

    def overlaps(self, other: "Run") -> bool:
        """Whether both ran at the same time. One that was cut off is of no time at all."""
        if inf in (self.ended, other.ended):
            return False
        return self.began < other.ended and other.began < self.ended


class Ledger:
    """Reads the file at `path`, which workers may be writing to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def runs(self) -> list[Run]:
        """All runs so far, in the order in which they began."""
        found: dict[str, Run] = {}
        for number, text in enumerate(whole_lines(self.path)):
            line = json.loads(text)
            if "end" in line:
                run = found[line["run"]]
                run.ended, run.end = number, line["end"]
            else:
                found[line["run"]] = Run(line["message_id"], line["pid"], number)
        return list(found.values())

    def done(self) -> set[str]:
        """The messages of which a run was done."""
        return {run.message_id for run in self.runs() if run.end == "done"}


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that is being written to: the last one may not be all there."""
    return path.read_text().split("\n")[:-1]
