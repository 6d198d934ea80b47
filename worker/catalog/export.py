"""Every artefact of the catalogue, as files, and the folder that they are written to."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from worker.catalog import asyncapi, openapi, page, publisher
from worker.catalog.commands import Where, link, publish_command, query
from worker.catalog.described import Described
from worker.catalog.files import text_of, write_whole
from worker.catalog.markdown import renewed
from worker.catalog.text import as_json

_OWNED: Mapping[str, str] = {
    "schemas": "*.json",
    "examples": "*.json",
    "commands": "*.sh",
    "queries": "*.[lu][qr]l",
    "docs": "*.md",
    "python/feature_publisher": "**/*.py",
}  # folders, and the files in them that are ours: one whose feature is gone is removed


def files_of(described: Sequence[Described], where: Where) -> dict[str, str]:
    """Every file, by its path in the folder. The same features give the same text.

    Raises BuildFailed when the publisher's models cannot be made.
    """
    files = {
        "catalog.html": page.html_of(described, where),
        "asyncapi.json": f"{as_json(asyncapi.document(described, topic=where.topic))}\n",
        "openapi.json": f"{as_json(openapi.document(described))}\n",
    }
    for one in described:
        files |= _of(one, where)
    return files | {f"python/{path}": text for path, text in publisher.files(described).items()}


def _of(one: Described, where: Where) -> dict[str, str]:
    command = publish_command(one, where)
    return {
        f"schemas/{one.name}.json": f"{as_json(one.payload)}\n",
        f"examples/{one.name}.json": f"{as_json(one.examples)}\n",
        f"commands/{one.name}.sh": f"#!/usr/bin/env bash\n{command}\n",
        f"queries/{one.name}.lql": f"{query(one, where)}\n",
        f"queries/{one.name}.url": f"{link(one, where)}\n",
        f"docs/{one.name}.md": renewed(None, one, where),
    }


def write_all(folder: Path, files: Mapping[str, str]) -> list[Path]:
    """Write what is not there as it should be, and remove what is ours and is no more.

    Returns what was removed. Raises OSError.
    """
    for name, text in files.items():
        if text_of(folder / name) != text:
            write_whole(folder / name, text)
    gone = [path for path in _ours(folder) if path.relative_to(folder).as_posix() not in files]
    for path in gone:
        path.unlink()
    return gone


def _ours(folder: Path) -> Iterator[Path]:
    for name, pattern in _OWNED.items():
        yield from sorted(path for path in (folder / name).glob(pattern) if path.is_file())
