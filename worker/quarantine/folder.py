"""QUARANTINE=folder:PATH: one JSON file per rejected message."""

import json
from pathlib import Path

from worker.files import write_atomically
from worker.quarantine import QuarantineFailed, Rejected


class FolderQuarantine:
    """Files appear whole or not at all, and survive a crash of the machine once kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, rejected: Rejected) -> str:
        """Write `<id>.json`; the file of an earlier delivery stays as it is."""
        path = self._folder / f"{rejected.id}.json"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                write_atomically(path, json.dumps(rejected.record(), indent=2).encode())
        except OSError as error:
            raise QuarantineFailed(f"cannot write to {self._folder}: {error.strerror}") from error
        return str(path)
