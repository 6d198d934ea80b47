"""A text that a JSON Schema takes: of its format, its pattern and its length."""

import importlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

_parser: Any = importlib.import_module("re._parser")  # typeshed does not know it
_FORMATS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00Z",
    "time": "09:30:00Z",
    "duration": "PT30M",
    "uuid": "7f1d2c9e-4b3a-4c5d-8e9f-0a1b2c3d4e5f",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "www.example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uri-reference": "https://example.com/",
    "iri": "https://example.com/",
    "decimal": "12.5",
    "byte": "dGV4dA==",
    "base64url": "dGV4dA==",
    "binary": "text",
    "json-string": "{}",
    "regex": "^text$",
    "json-pointer": "/text",
}
_TEXT = "text"
_TRIES = (0, 1, 2, 3, 5, 8, 13, 21, 34)  # how often a part repeats that may repeat often
_LONGEST = 10_000  # characters; a longer example helps nobody
_CANDIDATES = "ax0A1 _-.@/é"
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_NOT_DIGIT": lambda one: not one.isdigit(),
    "CATEGORY_SPACE": str.isspace,
    "CATEGORY_NOT_SPACE": lambda one: not one.isspace(),
    "CATEGORY_WORD": lambda one: one.isalnum() or one == "_",
    "CATEGORY_NOT_WORD": lambda one: not (one.isalnum() or one == "_"),
}


def text_for(schema: Mapping[str, Any]) -> str | None:
    """A text that fits, None when none is found."""
    low, high = int(schema.get("minLength", 0)), int(schema.get("maxLength", _LONGEST))
    if low > min(high, _LONGEST):
        return None
    fits = _matcher(schema.get("pattern"))
    for candidate in _candidates(schema, low, high):
        if low <= len(candidate) <= high and fits(candidate):
            return candidate
    return None


def _candidates(schema: Mapping[str, Any], low: int, high: int) -> Iterable[str]:
    yield _FORMATS.get(schema.get("format", ""), _TEXT)
    yield _TEXT.ljust(low, "x")[:high]
    if pattern := schema.get("pattern"):
        try:
            parts = _parser.parse(pattern)
        except (re.error, OverflowError, RecursionError):
            return
        for often in (*_TRIES, low):
            try:
                yield _text_of(parts, often)
            except _NotMade:
                continue


def _matcher(pattern: str | None) -> Callable[[str], bool]:
    """By pydantic's own engine: it needs no more than linear time, whatever the pattern."""
    if pattern is None:
        return lambda _: True
    try:
        validator = SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        return lambda _: False
    return validator.isinstance_python


class _NotMade(Exception):
    """The pattern asks for something that this simple reader cannot make."""


def _text_of(parts: Iterable[tuple[Any, Any]], often: int) -> str:
    """Follow the parsed pattern: its first branches, each repeat `often` times if it may be."""
    made = ""
    for kind, what in parts:
        made += _part(str(kind), what, often)
        if len(made) > _LONGEST:
            raise _NotMade
    return made


def _part(kind: str, what: Any, often: int) -> str:
    match kind:
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
            return _character(kind, what)
        case "AT":
            return ""
        case "BRANCH":
            return _text_of(what[1][0], often)
        case "SUBPATTERN":
            return _text_of(what[3], often)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return _repeated(*what, often=often)
    raise _NotMade


def _repeated(low: int, high: int, inner: Any, *, often: int) -> str:
    count = max(low, min(often, high))
    one = _text_of(inner, often)
    if count * len(one) > _LONGEST:
        raise _NotMade
    return one * count


def _character(kind: str, what: Any) -> str:
    """One that a sign of the pattern takes."""
    if kind == "LITERAL":
        return chr(what)
    if kind == "ANY":
        return _CANDIDATES[0]
    return _one_in(what) if kind == "IN" else _one(lambda one: ord(one) != what)


def _one_in(choices: list[tuple[Any, Any]]) -> str:
    if str(choices[0][0]) == "NEGATE":
        return _one(lambda one: not any(_takes(choice, one) for choice in choices[1:]))
    kind, what = choices[0]
    match str(kind):
        case "LITERAL":
            return chr(what)
        case "RANGE":
            return chr(what[0])
    return _one(lambda one: _takes((kind, what), one))


def _takes(choice: tuple[Any, Any], one: str) -> bool:
    kind, what = str(choice[0]), choice[1]
    match kind:
        case "LITERAL":
            return bool(ord(one) == what)
        case "RANGE":
            low, high = what
            return bool(low <= ord(one) <= high)
    return _CATEGORIES[str(what)](one)


def _one(takes: Callable[[str], bool]) -> str:
    for one in _CANDIDATES:
        if takes(one):
            return one
    raise _NotMade
