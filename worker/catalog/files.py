"""Files that are there whole or not at all."""

import os
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Write it beside its place, then move it there. Makes the folder. Raises OSError.

    Whoever may read the folder may read the file, unlike what is kept of messages.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(text.encode("utf-8", "surrogateescape"))
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def text_of(path: Path) -> str | None:
    """What is in the file, None where there is none; `write_whole` writes the same bytes again.

    Raises OSError.
    """
    try:
        return path.read_bytes().decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return None
