"""The files that `python -m worker new` writes: what changes, shown first, then all or nothing."""

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from worker.cli import fail
from worker.client.text import printable

_COLOURS = {"+": "green", "-": "red", "@": "cyan"}


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is to be written; `old` is what is there, None for nothing."""

    path: Path
    old: bytes | None
    new: bytes


def changes(files: Mapping[str, str]) -> list[Change]:
    """The files that are not there yet as they should be, by path."""
    found = [
        Change(path, _content(path), text.encode())
        for path, text in sorted((Path(name), text) for name, text in files.items())
    ]
    return [one for one in found if one.old != one.new]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        fail(f"cannot read {path}: {error.strerror}")


def show(changed: Sequence[Change]) -> None:
    """Print what is going to change, in colours on a terminal."""
    for change in changed:
        click.echo()
        for line in _difference(change):
            click.echo(click.style(printable(line), fg=_COLOURS.get(line[:1])))
    click.echo()


def _difference(change: Change) -> Iterator[str]:
    """As `git diff` says it."""
    old, new = (
        (data or b"").decode("utf-8", "replace").splitlines() for data in (change.old, change.new)
    )
    before = "/dev/null" if change.old is None else f"a/{change.path}"
    return difflib.unified_diff(old, new, before, f"b/{change.path}", lineterm="")


def write(changed: Sequence[Change]) -> None:
    """Write every file beside its place first, then move all of them there."""
    ready: list[tuple[Path, Path]] = []
    try:
        for change in changed:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            beside = change.path.with_name(f".{change.path.name}.{os.getpid()}.tmp")
            ready.append((beside, change.path))
            beside.write_bytes(change.new)
        for beside, path in ready:
            beside.replace(path)
    except OSError as error:
        fail(f"cannot write {path_of(error)}: {error.strerror}")
    finally:
        for beside, _ in ready:
            beside.unlink(missing_ok=True)


def path_of(error: OSError) -> str:
    """The file or folder that it is about."""
    return printable(str(error.filename))
