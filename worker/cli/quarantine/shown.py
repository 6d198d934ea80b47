"""Held messages as lines and as JSON fields."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from worker.client.text import printable
from worker.desk.held import Held

_PAYLOAD_LIMIT = 64 * 1024  # characters of a payload on a terminal


def rows(head: Sequence[str], lines: Sequence[Sequence[object]]) -> Iterator[str]:
    """A table; numbers stand right in their column, the last column is as wide as it likes."""
    texts = [list(head), *([printable(str(cell)) for cell in line] for line in lines)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    right = [isinstance(cell, int) for cell in lines[0]] if lines else [False] * len(head)
    for text in texts:
        cells = zip(text, widths, right, strict=True)
        yield "  ".join(f"{cell:{'>' if r else '<'}{width}}" for cell, width, r in cells).rstrip()


def when(time: datetime | None) -> str:
    """A time for people, in UTC."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z" if time else "-"


def iso(time: datetime | None) -> str | None:
    """A time for machines."""
    return time.isoformat() if time else None


def line_of(held: Held) -> str:
    """A message in one line: which one it is."""
    about = [held.feature, f"message {held.message.id}" if held.message else ""]
    return printable("  ".join([held.id, *filter(None, about)]))


def payload_lines(data: bytes) -> list[str]:
    """The payload for people: JSON indented, else as it is; harmless either way."""
    text = data.decode("utf-8", "backslashreplace")
    with suppress(ValueError, RecursionError):
        text = json.dumps(json.loads(data), indent=2, ensure_ascii=False)
    lines = [printable(line) for line in text[:_PAYLOAD_LIMIT].split("\n")]
    return [*lines, "… (--json has all of it)"] if len(text) > _PAYLOAD_LIMIT else lines


def payload_value(data: bytes) -> Any:
    """The payload's JSON value, None for what is none."""
    try:
        value = json.loads(data)
        json.dumps(value)
    except (ValueError, RecursionError):
        return None
    return value


def cut_note(limited: bool, name: str) -> str:  # noqa: FBT001 - what `Place.cut` says
    """What to say below a list that may not be all, with a space before it."""
    return f" (there may be more in {printable(name)}: give --limit)" if limited else ""
