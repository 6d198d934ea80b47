"""A quarantine folder, as QUARANTINE=folder:PATH fills it: a message is a file."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from worker.desk import DeskFailed
from worker.desk.held import REPLAY_COUNT, Held
from worker.desk.reading import foreign, of_record
from worker.files import write_atomically
from worker.message import digest_id

AUDIT = "audit.jsonl"  # lies beside the messages, and is none
_LARGEST = 64 * 1024 * 1024  # bytes: no record is that large


class FolderPlace:
    """Any number of workers may write to the folder meanwhile, and others work at it."""

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.name = f"folder:{folder}"
        self.cut = False
        self._folder = folder
        self._limit = limit
        self._paths: dict[str, Path] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Files stay where they are."""

    def messages(self) -> Iterator[Held]:
        """The files, read one by one; those being written (.x.tmp) are none yet."""
        paths = self._files()
        self.cut = self._limit is not None and len(paths) > self._limit
        for path in paths[: self._limit]:
            held = _read(path)
            if held is not None:
                self._paths[held.id] = path
                yield held

    def remove(self, held: Held) -> None:
        """Delete its file."""
        path = self._paths[held.id]
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise DeskFailed(f"cannot delete {path}: {error.strerror}") from None

    def count(self, held: Held, replays: int) -> None:
        """Write the number into its record, which stays as it is otherwise."""
        path = self._paths[held.id]
        try:
            record = json.loads(path.read_bytes()) | {REPLAY_COUNT: replays}
            write_atomically(path, json.dumps(record, indent=2).encode())
        except FileNotFoundError:
            return  # somebody else has replayed or dropped it meanwhile
        except OSError as error:
            raise DeskFailed(f"cannot write {path}: {error.strerror}") from None

    def _files(self) -> list[Path]:
        try:
            found = sorted(self._folder.iterdir())
        except FileNotFoundError:
            return []  # the worker makes it when it rejects the first message
        except OSError as error:
            raise DeskFailed(f"cannot read {self._folder}: {error.strerror}") from None
        return [path for path in found if path.name[0] != "." and path.name != AUDIT]


def _read(path: Path) -> Held | None:
    """What the file holds, None where there is no file any more or never was one."""
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > _LARGEST:
            return foreign(_id_of(path), "not a record of the quarantine: too large")
        return of_record(_id_of(path), path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        return foreign(_id_of(path), f"cannot be read: {error.strerror}")


def _id_of(path: Path) -> str:
    """The name that the quarantine gave the file, else one made of the name that it has."""
    if path.suffix == ".json" and path.stem.startswith("sha256-"):
        return path.stem
    return digest_id(b"file", str(path.name).encode("utf-8", "surrogateescape"))
