"""What an entry can be found by: a token for each value in it, made of its path and its text.

The index of tokens answers "which entries have a.b=c" for any field, so a query for a rare value
is quick among millions of entries whatever the field is called. It only narrows: who finds an
entry by it still asks the query.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from worker.local.lql import fold

MOST = 300  # values of one entry; one that has more is found by every query
ANY = "any"  # its token

# Fields whose values are text of anybody's choice. A value of another field may be written in
# several ways (severity, times, durations, sizes), so that equal ones have different tokens.
ROOTS = frozenset(
    {"insertId", "jsonPayload", "labels", "logName", "operation", "resource", "spanId",
     "textPayload", "trace"}
)  # fmt: skip


def tokens(entry: Mapping[str, Any]) -> str:
    """The tokens of an entry, separated by blanks."""
    found: set[str] = set()
    for root in ROOTS & entry.keys():
        for path, value in _leaves((root,), entry[root]):
            found.add(token(path, text(value)))
        if len(found) > MOST:
            return ANY
    return " ".join(found)


def text(value: Any) -> str:
    """The one spelling of a value: 1, 1.0 and 1e0 are the same number, True is true."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return number(value)
    return fold(value) if isinstance(value, str) else ""


def number(value: float | str) -> str:
    """The one spelling of a number. Raises ValueError for text that is none."""
    try:
        return repr(float(value) + 0.0)  # -0.0 is 0.0
    except OverflowError:  # an int beyond what a double holds
        return "inf" if int(value) > 0 else "-inf"


@lru_cache(maxsize=65_536)
def token(path: tuple[str, ...], value: str) -> str:
    """The token of a value in its one spelling. Two may share one: the query is asked anyway."""
    written = "\0".join((*path, value)).encode("utf-8", "surrogatepass")
    return blake2b(written, digest_size=8).hexdigest()


def _leaves(path: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Values that hold no others. The place in a list is no part of the path."""
    waiting: list[tuple[tuple[str, ...], Any]] = [(path, value)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += [((*path, key), inner) for key, inner in value.items()]
        elif isinstance(value, Sequence) and not isinstance(value, str):
            waiting += [(path, inner) for inner in value]
        else:
            yield path, value
