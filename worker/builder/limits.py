"""How much an order may ask for: beyond that it is refused before anybody works on it."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from worker.builder.order import OrderRefused
from worker.explain import shorten

BYTES = 64 * 1024  # of the requirements, as JSON
DEPTH = 40  # values inside of values
NAME = 100  # characters of a property's name
CHOICES = 200  # values of an enum, branches of a union
PROPERTIES = 300  # in all objects together
TEXT = 10_000  # smallest length that a text may have to have
ITEMS = 100  # smallest length that a list may have to have
PATTERN = 500  # characters of a pattern
NUMBER = 10**30  # largest limit of a number: beyond it, readers of JSON disagree


def check_size(value: Any, where: str = "requirements") -> None:
    """Refuse what is too large or too deep, or no JSON. Works level by level, never recursively."""
    size, level = 0, [(where, value)]
    for _ in range(DEPTH):
        size += sum(_bytes_of(path, one) for path, one in level)
        if size > BYTES:
            raise OrderRefused(f"{where}: too large (at most {BYTES // 1024} KiB of JSON)")
        level = [inner for path, one in level for inner in _inside(path, one)]
        if not level:
            return
    raise OrderRefused(f"{shorten(level[0][0], 200)}: nested too deeply (at most {DEPTH} levels)")


def _bytes_of(where: str, value: Any) -> int:
    """About what it takes as JSON, without its inner values."""
    match value:
        case str():
            if any("\ud800" <= one <= "\udfff" for one in value):
                raise OrderRefused(f"{where}: a text with half a surrogate pair, which is no JSON")
            return len(value.encode()) + 2
        case None | bool():
            return 5
        case int() if abs(value) <= NUMBER:
            return len(str(value)) + 1
        case float() if math.isfinite(value) and abs(value) <= NUMBER:
            return 8
        case int() | float():
            raise OrderRefused(f"{where}: a number beyond 10 to the power of 30, or none at all")
        case list() | dict():
            return 2 + len(value)
    raise OrderRefused(f"{where}: no value of JSON")


def _inside(where: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if not isinstance(name, str):
                raise OrderRefused(f"{where}: a name that is no text")
            if len(name) > NAME * 20:
                raise OrderRefused(f"{where}: a name is too long")
            _bytes_of(f"{where}: a name", name)
            yield f"{where}.{shorten(name)}", inner
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield f"{where}.{at}", inner
