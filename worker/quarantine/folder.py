"""QUARANTINE=folder:PATH: one JSON file per rejected message."""

import json
import os
import tempfile
from pathlib import Path

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


def write_atomically(path: Path, data: bytes) -> None:
    """The file has these bytes, or those that it had before. Raises OSError."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too: a file's own fsync does not cover its directory entry."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
