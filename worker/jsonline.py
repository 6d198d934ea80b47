"""Any fields -> one valid JSON line: nothing raises, nothing is lost, nothing breaks the line.

What JSON cannot say is said in text (NaN, dates, bytes, tuple keys, cycles, broken objects); a line
over the limit is cut, says so (`truncated`, `original_size` in bytes), and stays valid JSON.
"""

import base64
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum
from typing import Any

import orjson

_MAX_EXACT = 2**53  # Cloud Logging keeps numbers as doubles: larger integers become text
_MAX_DEPTH = 40
_MAX_CONTAINERS = 50_000  # more cannot fit a line; objects that share parts could unfold for ever
_SMALLEST_CUT = 40  # bytes: a field is never cut to less, later ones are left out instead
_KEY_LIMIT = 200  # characters of a key in a line that must be cut

# What Cloud Logging lifts out of the JSON payload; never cut, and not for handlers to set.
_LIFTED = frozenset(
    {"severity", "time", "timestamp", "timestampSeconds", "timestampNanos", "httpRequest"}
)
_PREFIX = "logging.googleapis.com/"

_SIMPLE = frozenset({str, int, bool, type(None)})
# Everything but the plainest types raises; so does an integer that a double does not hold.
_STRICT = (
    orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)

_name_of = type.__dict__["__name__"].__get__  # a metaclass may have its own idea of __name__
_dumps = json.JSONEncoder(ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode


def is_special(name: str) -> bool:
    """Whether Cloud Logging gives this top-level key a meaning of its own."""
    return name in _LIFTED or name.startswith(_PREFIX)


def encode(entry: Mapping[str, Any], limit: int) -> bytes:
    """The entry as one line of ASCII JSON of at most `limit` (2,000 or more) bytes with newline."""
    line = _usual(entry)
    if not 0 < len(line) < limit:
        line = _careful(entry, limit)
    return line + b"\n"


def _usual(entry: Mapping[str, Any]) -> bytes:
    """The entry's JSON, if orjson says all of it as it is said here; else b""."""
    if type(entry) is not dict:
        return b""
    try:
        line = orjson.dumps(entry, option=_STRICT)
    except TypeError:  # an odd type, a key, a lone surrogate, a large number
        return b""
    nulls = line.count(b"null")
    if nulls and nulls != list(entry.values()).count(None):  # one may be a NaN
        return b""
    if line.count(b"{") + line.count(b"[") >= _MAX_DEPTH:  # it may be nested deeper than that
        return b""
    return line if line.isascii() else b""


def plain_model(value: Any) -> Any:
    """The model as `plain` has it, made faster where its fields are of the simplest types."""
    try:
        fields = value.model_dump()
    except BaseException:  # noqa: BLE001 - an object's own code ran; `plain` says that it failed
        return plain(value)
    simple = type(fields) is dict and _SIMPLE.issuperset(map(type, fields.values()))
    return fields if simple else plain(value)


def _careful(entry: Mapping[str, Any], limit: int) -> bytes:
    plain_entry = plain(entry)
    line = _dumps(plain_entry)
    if len(line) >= limit:
        line = _dumps(_cut(plain_entry, limit - 1, len(line)))
    return line.encode("ascii")


def plain(value: Any) -> Any:
    """The value in JSON's own types, whatever it is. Never raises."""
    return _plain(value, (), iter(range(_MAX_CONTAINERS)))


def _plain(value: Any, path: tuple[int, ...], room: Iterator[int]) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else _text(value)
    if kind is bool or value is None:
        return value
    if kind is int:
        return value if -_MAX_EXACT <= value <= _MAX_EXACT else _digits(value)
    if kind is float:
        return value if math.isfinite(value) else repr(value)
    try:
        return _container(value, path, room) if _contains(value) else _scalar(value)
    except BaseException:  # noqa: BLE001 - an object's own code ran; it must not lose the entry
        return f"<unprintable {_text(_name_of(kind))}>"


def _contains(value: Any) -> bool:
    if isinstance(value, (dict, list, tuple, set, frozenset, Mapping)) or hasattr(
        value, "model_dump"
    ):
        return not isinstance(value, type)
    return is_dataclass(value) and not isinstance(value, type)


def _container(value: Any, path: tuple[int, ...], room: Iterator[int]) -> Any:
    instead = _not_followed(value, path, room)
    if instead:
        return instead
    inner = (*path, id(value))
    if isinstance(value, (dict, Mapping)):  # dict first: asking an ABC is slow
        return _mapping(list(value.items()), inner, room)  # an object's own code may change it
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item, inner, room) for item in value]
    if hasattr(
        value, "model_dump"
    ):  # first: a model's class is slow to say that it is no dataclass
        return _plain(value.model_dump(), inner, room)
    return _mapping(((f.name, getattr(value, f.name)) for f in fields(value)), inner, room)


def _not_followed(value: Any, path: tuple[int, ...], room: Iterator[int]) -> str:
    """What stands for a container that would have no end, or "" for one that may be followed."""
    if id(value) in path:
        return "<cycle>"
    if len(path) >= _MAX_DEPTH:
        return f"<nested deeper than {_MAX_DEPTH}>"
    return "<left out>" if next(room, None) is None else ""


def _mapping(
    items: Iterable[tuple[Any, Any]], path: tuple[int, ...], room: Iterator[int]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in items:
        name = free_name(key if type(key) is str and key.isascii() else _key(key), result)
        result[name] = _plain(value, path, room)
    return result


def free_name(name: str, taken: Mapping[str, Any]) -> str:
    """The name, with underscores behind it until it is free: two fields never become one."""
    while name in taken:
        name += "_"
    return name


def _key(key: Any) -> str:
    if isinstance(key, str):
        return _text(str.__str__(key))
    known = plain(key)
    return known if isinstance(known, str) else _dumps(known)


def _text(text: str) -> str:
    """Lone surrogates cannot be UTF-8: they are written as the six characters that name them."""
    return str.encode(text, "utf-8", "backslashreplace").decode("utf-8")


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # over the interpreter's limit of decimal digits
        return hex(value)


def _scalar(value: Any) -> Any:
    """What is none of JSON's own types, or a subclass of one, whose own methods are not asked."""
    for kind, convert in _SCALARS:
        if isinstance(value, kind):
            return convert(value)
    return _text(str(value))


_SCALARS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: plain(value.value)),
    (str, lambda value: _text(str.__str__(value))),
    (int, lambda value: plain(int.__int__(value))),
    (float, lambda value: plain(float.__float__(value))),
    ((datetime, date, time), lambda value: _text(str(value.isoformat()))),
    ((bytes, bytearray, memoryview), lambda value: _bytes(bytes(value))),
    (BaseException, lambda value: _text(repr(value))),
)


def _bytes(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "base64:" + base64.b64encode(value).decode("ascii")


def _cut(entry: dict[str, Any], room: int, original_size: int) -> dict[str, Any]:
    """The entry in `room` bytes: small fields whole, large ones cut to a fair share of the rest."""
    kept = {**_special(entry, room * 3 // 4), "truncated": True, "original_size": original_size}
    room -= len(_dumps(kept))
    # One byte more than it is: `truncated` and `original_size` of others get a `_`.
    sized = [(len(_dumps({n: v})) + 1, n, v) for n, v in entry.items() if not is_special(n)]
    share = _fair_share([size for size, _, _ in sized], room)
    for size, name, value in sized:
        short = free_name(name[:_KEY_LIMIT] if size > share else name, kept)
        part = value if size <= share else _shortened(value, share - len(_dumps(short)) - 4)
        cost = len(_dumps({short: part}))
        if cost <= room:
            kept[short] = part
            room -= cost
    return kept


def _special(entry: dict[str, Any], room: int) -> dict[str, Any]:
    """The special fields: whole, unless they alone would fill the line (labels, long ids)."""
    kept = {name: value for name, value in entry.items() if is_special(name)}
    while len(_dumps(kept)) > room:
        largest = max(kept, key=lambda name: len(_dumps({name: kept[name]})))
        kept[largest] = _halved(whole := kept[largest])
        if kept[largest] == whole:
            del kept[largest]
    return kept


def _halved(value: Any) -> Any:
    """The first half of a text; of an object, of each long text in it, else of its entries."""
    if not isinstance(value, dict):
        text = value if isinstance(value, str) else _dumps(value)
        return text[: len(text) // 2]
    short = {k: _halved(v) if len(_dumps(v)) > _KEY_LIMIT else v for k, v in value.items()}
    return short if short != value else dict(list(value.items())[: len(value) // 2])


def _fair_share(sizes: list[int], room: int) -> int:
    """The largest size that every field may have so that all of them fit."""
    share = room
    for done, size in enumerate(sorted(sizes)):
        share = room // (len(sizes) - done)
        if size > share:
            break
        room -= size
    return max(share, _SMALLEST_CUT)


def _shortened(value: Any, room: int) -> Any:
    """The value as text in `room` bytes of JSON: its beginning and its end (of a trace: why)."""
    text = value if isinstance(value, str) else _dumps(value)
    cut: Callable[[int], str] = lambda n: f"{text[: n - n // 3]} … {text[len(text) - n // 3 :]}"  # noqa: E731
    keep = max(0, min(len(text), room - 10))
    while keep and len(_dumps(cut(keep))) > room:
        keep = keep * 9 // 10
    return cut(keep) if keep else "…"
