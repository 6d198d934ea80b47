"""The processes of a scenario: workers with one ledger, one quarantine, and their entries."""

import base64
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from itertools import count
from operator import itemgetter
from pathlib import Path
from typing import Any

from tests.benchmarks.process import tree
from tests.faults.audit import Evidence, Kept, told, unprotected
from tests.faults.ledger import Ledger, Run, whole_lines
from tests.support.server import ServerProcess
from worker.pipeline import CANONICAL_EVENT

EXIT_SECONDS = 10.0  # Cloud Run: SIGTERM, then 10 s, then SIGKILL
_HANDLER = Path(__file__).parent / "handlers" / "ledger.py"


class Stage:
    """Workers that share what is in `folder`; what is started here ends with the stack."""

    def __init__(self, folder: Path, stack: ExitStack, **environment: str) -> None:
        self._folder = folder
        self._stack = stack
        self._numbers = count(1)
        self.ledger = Ledger(folder / "ledger.jsonl")
        self.quarantine = folder / "quarantine"
        self.environment = {
            "LEDGER": str(self.ledger.path),
            "QUARANTINE": f"folder:{self.quarantine}",
            **environment,
        }
        self.workers: list[ServerProcess] = []
        self.started: list[ServerProcess] = []
        self.killed: set[int] = set()
        self.drained: set[int] = set()

    def make_folder(self) -> Path:
        """A folder that a worker can run in."""
        folder = self._folder / f"worker-{next(self._numbers)}"
        (folder / "handlers").mkdir(parents=True)
        (folder / "handlers" / "__init__.py").touch()
        shutil.copy(_HANDLER, folder / "handlers")
        return folder

    def start(self, *command: str, **environment: str) -> ServerProcess:
        """Start one more worker, by the usual command of Python's or by another."""
        command = command or ("-m", "worker", "serve")
        worker = ServerProcess(self.make_folder(), self.environment | environment, command)
        self._stack.callback(self._end, worker)
        self.workers.append(worker)
        self.started.append(worker)
        return worker

    def kill(self, worker: ServerProcess) -> None:
        """SIGKILL to every process of the worker, as when its machine dies."""
        self.workers.remove(worker)
        pids = [stat.pid for stat in tree(worker.process.pid)]
        self.killed.update(pids)
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        worker.stop()

    def kill_child(self, worker: ServerProcess) -> None:
        """SIGKILL to the process that serves; its master starts another."""
        for stat in tree(worker.process.pid):
            if stat.parent == worker.process.pid:
                self.killed.add(stat.pid)
                os.kill(stat.pid, signal.SIGKILL)

    def drain(self, worker: ServerProcess) -> float:
        """SIGTERM, and the seconds to its end. It has to end well."""
        self.workers.remove(worker)
        self.drained.update(stat.pid for stat in tree(worker.process.pid))
        began = time.monotonic()
        assert worker.stop() == 0
        return time.monotonic() - began

    def running(self) -> list[Run]:
        """Runs that have begun and not ended, in processes that live."""
        gone = self.killed | self.drained
        return [run for run in self.ledger.runs() if not run.end and run.pid not in gone]

    def entries(self) -> Iterator[dict[str, Any]]:
        """What all workers have written so far."""
        for worker in self.started:
            worker.catch_up()
            yield from worker.entries()
            yield from _entries_in(worker.folder / "stderr.txt")

    def canonical(self) -> list[dict[str, Any]]:
        """The canonical entries of all workers so far."""
        return [entry for entry in self.entries() if entry.get("event") == CANONICAL_EVENT]

    def outcomes(self, message_id: str) -> list[str]:
        """How the deliveries of a message ended, in the order of time."""
        found = [entry for entry in self.canonical() if entry["message_id"] == message_id]
        return [entry["outcome"] for entry in sorted(found, key=itemgetter("time"))]

    def kept(self) -> list[Kept]:
        """What is in the folder quarantine."""
        records = [json.loads(path.read_bytes()) for path in self.quarantine.glob("[!.]*.json")]
        return [_kept(record) for record in records]

    def evidence(self, with_pubsub: set[str], kept: list[Kept], forgotten: float) -> Evidence:
        """What the workers have left behind."""
        entries = list(self.entries())
        return Evidence(
            self.ledger.runs(), kept, with_pubsub, self.killed, self.drained,
            told(entries), unprotected(entries),
            forgotten,
        )  # fmt: skip

    def _end(self, worker: ServerProcess) -> None:
        """However the test went: SIGTERM at its end is none of its faults."""
        if worker in self.workers:
            for stat in tree(worker.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(stat.pid, signal.SIGKILL)
            worker.stop()


def _entries_in(stderr: Path) -> Iterator[dict[str, Any]]:
    """Where entries go when stdout is closed."""
    return (json.loads(line) for line in whole_lines(stderr) if line.startswith("{"))


def _kept(record: dict[str, Any]) -> Kept:
    body = base64.b64decode(record["body"])
    data = base64.b64decode(json.loads(body)["message"]["data"])
    return Kept(record["message_id"], record["reason"], data, body)
