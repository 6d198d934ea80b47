"""What a store keeps in a column, so that a query can be answered by comparing columns."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from worker.local.lql.paths import MISSING, Entry, Several, raw_reader, reader
from worker.local.lql.schema import Kind, resolve
from worker.local.lql.text import fold

ColumnKind = Literal["folded", "exact", "severity", "nanoseconds", "json"]
NOT_TEXT = "\x01"  # in a text column: there is a value, but to know it one has to read the entry
LARGEST = (1 << 63) - 1  # in SQLite


@dataclass(frozen=True)
class Column:
    """A column that holds what `column_value` gives for each entry.

    folded: fold() of a text; exact: the text itself. Either has NULL for no value, and NOT_TEXT
    for a value that is no text. severity: 0 to 800. nanoseconds: since the epoch. json: the whole
    entry, for the path (); its own text, as json.dumps writes it.
    """

    name: str
    kind: ColumnKind


def column_value(entry: Entry, path: tuple[str, ...], kind: ColumnKind) -> str | int | None:
    """What belongs into the column for `path`. Raises Problem for a path that LogEntry has not."""
    return _reader(path, kind)(entry)


@functools.cache
def _reader(path: tuple[str, ...], kind: ColumnKind) -> Callable[[Entry], str | int | None]:
    target = resolve(path, 0)
    if kind in {"severity", "nanoseconds"}:
        number = reader(target)
        return lambda entry: max(-LARGEST, min(LARGEST, number(entry)))
    raw, form = raw_reader(target), fold if kind == "folded" else str
    no_text = None if target.kind in {Kind.STRING, Kind.LABEL} else NOT_TEXT

    def text(entry: Entry) -> str | None:
        value = raw(entry)
        if isinstance(value, str):
            return form(value) if storable(value) else NOT_TEXT
        if isinstance(value, Several):
            return NOT_TEXT if value else None
        return None if value is MISSING else no_text

    return text


def storable(text: str) -> bool:
    """Whether SQLite can keep it: half of a surrogate pair is no UTF-8."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def whole(value: Any) -> bool:
    """Whether it is a number that a column holds as it is, and not clamped to the limits."""
    return isinstance(value, int) and abs(value) < LARGEST
