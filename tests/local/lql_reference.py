"""The Logging query language once more: slow, obvious, straight from the documented rules.

It walks the tree for each entry and shares nothing with the evaluator but the tree's classes. The
types of fields are read off Google's own protobuf descriptors.
"""

import ipaddress
import json
import re
import unicodedata
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from hashlib import blake2b
from typing import Any, NamedTuple
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import re2
from google.cloud.logging_v2.types import LogEntry

from worker.local.lql import tree
from worker.local.lql.tree import CastType, Special

DESCRIPTOR = LogEntry.pb(LogEntry()).DESCRIPTOR
METADATA = DESCRIPTOR.file.pool.FindMessageTypeByName("google.api.MonitoredResourceMetadata")
LEVELS = [
    "DEFAULT",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Typed = tuple[str, Any]  # the name of a type, and the value as that type compares

DEFAULTS: dict[str, Any] = {
    "text": "",
    "bool": False,
    "int": 0,
    "severity": 0,
    "time": Fraction(0),
    "duration": Fraction(0),
}


def matches(node: tree.Node, entry: Mapping[str, Any]) -> bool:  # noqa: C901, PLR0911 - by rule
    match node:
        case tree.And(parts):
            return all(matches(part, entry) for part in parts)
        case tree.Or(parts):
            return any(matches(part, entry) for part in parts)
        case tree.Not(part):
            return not matches(part, entry)
        case tree.Comparison(tree.Field(path), ":", Special.PRESENT):
            return is_there(path, entry)
        case tree.Comparison(operand, operator, value):
            found = values(operand, entry)
            return any(holds(one, operator, value) for one in found)
        case tree.AnyField(text):
            return has_in_fields(DESCRIPTOR, entry, text)
        case tree.LogId(name):
            log = re.search("/logs/(.*)", str(entry.get("logName", "")), re.DOTALL)
            return log is not None and fold(unquote(log[1])) == fold(unquote(name))
        case tree.Source(resource):
            prefix = fold(resource) + "/logs/"
            return fold(str(entry.get("logName", ""))).startswith(prefix)
        case tree.TextSearch(field, query):
            return search(texts(field, entry), query)
        case tree.Sample(field, fraction):
            return any(hashed(one) <= fraction for kind, one in values(field, entry)
                       if kind in {"text", "number", "int"})  # fmt: skip
        case tree.InNet(field, net):
            return any(in_net(one, net) for kind, one in values(field, entry) if kind == "text")


def fold(text: str) -> str:
    """Unicode, R5: each character to its NFKC_Casefold, the result to NFC."""
    mapped = ""
    for character in text:
        if character not in "\u00ad\u200b\u200d\ufeff\ufe0f":
            compatible = unicodedata.normalize("NFKD", character)
            mapped += unicodedata.normalize("NFKC", compatible.casefold())
    return unicodedata.normalize("NFC", mapped)


# Types: of a path, from the descriptors.


def type_at(path: tuple[str, ...]) -> str:
    """text, bool, int, severity, time, duration; label, open; message, map, struct."""
    here: Any = DESCRIPTOR
    for level, name in enumerate(path):
        kind = fields_of(here)[name].kind
        rest = path[level + 1 :]
        if not rest:
            return kind
        if kind == "map":
            return "label"
        if kind == "struct":
            return "open"
        here = fields_of(here)[name].message
    raise AssertionError


class Described(NamedTuple):
    """A field of a message."""

    kind: str
    message: Any = None
    repeated: bool = False


def fields_of(descriptor: Any) -> dict[str, Described]:
    if isinstance(descriptor, dict):
        return descriptor
    found = {
        one.json_name: Described(type_of(one), one.message_type, one.is_repeated)
        for one in descriptor.fields
    }
    if descriptor is DESCRIPTOR:  # documented, but not in every release of the client
        found["metadata"] = Described("message", METADATA)
        found["errorGroups"] = Described("message", {"id": Described("text")}, repeated=True)
    return found


def type_of(field: Any) -> str:
    """The type of a protobuf field, in the words of this file."""
    message = field.message_type
    if message is None:
        if field.enum_type is not None:
            return "severity"
        return {field.TYPE_STRING: "text", field.TYPE_BOOL: "bool"}.get(field.type, "int")
    if message.GetOptions().map_entry:
        return "map"
    return {
        "google.protobuf.Timestamp": "time", "google.protobuf.Duration": "duration",
        "google.protobuf.Struct": "struct", "google.protobuf.Any": "struct",
    }.get(message.full_name, "message")  # fmt: skip


# Values: of an operand, in an entry.


def raw(value: Any, path: tuple[str, ...], *, proto: bool = False) -> list[Any]:
    """All values in the JSON at a path; lists on the way are walked through."""
    if isinstance(value, list):
        return [one for element in value for one in raw(element, path, proto=proto)]
    if not path:
        return [value]
    if not isinstance(value, dict):
        return []
    for key in value:
        if key == path[0] or (proto and plain(key) == plain(path[0])):
            return raw(value[key], path[1:], proto=proto)
    if proto and "@type" in value and "value" in value:
        return raw(value["value"], path, proto=proto)
    return []


def plain(name: str) -> str:
    return name.replace("_", "").lower()


def at(path: tuple[str, ...], entry: Mapping[str, Any]) -> list[Any]:
    if path[0] == "protoPayload":
        return raw(entry.get("protoPayload"), path[1:], proto=True)
    return raw(dict(entry), path)


def values(operand: tree.Operand, entry: Mapping[str, Any]) -> list[Typed]:
    match operand:
        case tree.Cast(inner, to, zone):
            made = [cast(one, to, zone) for one in values(inner, entry)]
            return [one for one in made if one is not None]
        case tree.Extract(inner, pattern):
            searched = [
                re2.search(pattern, one) for kind, one in values(inner, entry) if kind == "text"
            ]
            return [("text", m.group(1)) for m in searched if m and m.group(1) is not None]
        case tree.Field(path):
            return field_values(path, entry)


def field_values(path: tuple[str, ...], entry: Mapping[str, Any]) -> list[Typed]:
    kind, found = type_at(path), at(path, entry)
    if kind in {"message", "map", "struct"}:
        return [(kind, (path, one)) for one in found]
    if kind == "open":
        return [json_value(one) for one in found]
    if kind == "label":
        key = of_single(path, entry)
        return [("text", key)] if isinstance(key, str) else []
    if path[0] == "errorGroups":
        listed = entry.get("errorGroups")
        return [(kind, decoded(kind, one)) for one in found] if isinstance(listed, list) else []
    return [(kind, decoded(kind, of_single(path, entry)))]


def of_single(path: tuple[str, ...], entry: Mapping[str, Any]) -> Any:
    """The value at a path on which protobuf has no lists; None if JSON has something else."""
    value: Any = dict(entry)
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def json_value(value: Any) -> Typed:
    if value is None:
        return ("null", None)
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, str):
        return ("text", value)
    return ("number", float(value)) if isinstance(value, int | float) else ("object", value)


def decoded(kind: str, value: Any) -> Any:
    """A typed field's value; what is none of the type counts as not there."""
    is_bool = isinstance(value, bool)
    if kind == "bool":
        return value if is_bool else False
    if kind == "text":
        return value if isinstance(value, str) else ""
    if isinstance(value, str):
        converted = convert(kind, value)
        return DEFAULTS[kind] if converted is None else converted
    return (
        value
        if isinstance(value, int) and not is_bool and kind in {"int", "severity"}
        else DEFAULTS[kind]
    )


def convert(kind: str, text: str) -> Any:  # noqa: PLR0911 - by rule
    """The right side as the type of the left; None if it cannot be."""
    match kind:
        case "text":
            return text
        case "bool":
            return {"true": True, "false": False}.get(text.lower())
        case "number":
            return number(text)
        case "int":
            return int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else None
        case "severity":
            by_name = LEVELS.index(text.upper()) * 100 if text.upper() in LEVELS else None
            return convert("int", text) if by_name is None else by_name
        case "duration":
            match = re.fullmatch(r"([+-]?[0-9.]*[0-9]\.?)(ns|us|ms|s|m|h)", text)
            unit = {
                "ns": "1/1000000000",
                "us": "1/1000000",
                "ms": "1/1000",
                "s": "1",
                "m": "60",
                "h": "3600",
            }
            return Fraction(match[1].rstrip(".")) * Fraction(unit[match[2]]) if match else None
        case "time":
            return time(text)
        case _:
            return None


def number(text: str) -> float | None:
    try:
        return None if re.search(r"[_\s]", text) or not text.isascii() else float(text)
    except ValueError:
        return None


def time(text: str) -> Fraction | None:
    """Seconds since the epoch. Python has no nanoseconds, so those are added."""
    match = re.fullmatch(
        r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:?\d\d)?)?", text
    )
    if match is None:
        return None
    day, clock, fraction, offset = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock or '00:00:00'}{offset or 'Z'}")
    except ValueError:
        return None
    whole = (moment - EPOCH) // timedelta(seconds=1)
    return whole + Fraction((fraction or ".0")[:10])


# Comparisons.


def holds(left: Typed, operator: str, right: str | Special) -> bool:  # noqa: PLR0911 - by rule
    kind, value = left
    if right is Special.PRESENT:
        return True
    if right is Special.NULL:
        return (kind != "null") if operator == "!=" else (kind == "null")
    assert isinstance(right, str)
    if operator in {"=~", "!~"}:
        return kind == "text" and bool(re2.search(right, value)) == (operator == "=~")
    if kind == "text":
        return ordered(fold(value), operator, fold(right))
    if kind in {"map", "struct"}:
        return operator == ":" and isinstance(value[1], dict) and in_object(value[1], right)
    if kind == "message":
        return operator == ":" and has_in_fields(descriptor_at(value[0]), value[1], right)
    if kind == "object":
        return operator == ":" and in_object(value, right)
    converted = convert(kind, right)
    return converted is not None and ordered(value, operator, converted)


def ordered(left: Any, operator: str, right: Any) -> bool:  # noqa: PLR0911 - by rule
    match operator:
        case "=":
            return bool(left == right)
        case "!=":
            return bool(left != right)
        case "<":
            return bool(left < right)
        case "<=":
            return bool(left <= right)
        case ">":
            return bool(left > right)
        case ">=":
            return bool(left >= right)
        case _:
            return right in left if isinstance(left, str) else bool(left == right)


def in_object(value: dict[str, Any], text: str) -> bool:
    return any(fold(key) == fold(text) for key in value) or has_in_json(value, text)


def has_in_json(value: Any, text: str) -> bool:
    if isinstance(value, dict):
        return any(has_in_json(one, text) for one in value.values())
    if isinstance(value, list):
        return any(has_in_json(one, text) for one in value)
    return holds(json_value(value), ":", text)


def has_in_fields(descriptor: Any, value: Any, text: str) -> bool:
    """Whether a field that a message has holds the text, each compared as its type."""
    if not isinstance(value, Mapping):
        return False
    for name, field in fields_of(descriptor).items():
        if name in value and has_in_field(field, value[name], text):
            return True
    return False


def has_in_field(field: Described, inner: Any, text: str) -> bool:
    if field.kind == "message" and field.repeated:
        listed = inner if isinstance(inner, list) else []
        return any(has_in_fields(field.message, one, text) for one in listed)
    if field.kind == "message":
        return has_in_fields(field.message, inner, text)
    if field.kind in {"map", "struct"}:
        return isinstance(inner, dict) and has_in_json(inner, text)
    if field.kind == "text":
        return isinstance(inner, str) and fold(text) in fold(inner)
    return holds((field.kind, decoded(field.kind, inner)), ":", text)


def descriptor_at(path: tuple[str, ...]) -> Any:
    here: Any = DESCRIPTOR
    for name in path:
        here = fields_of(here)[name].message
    return here


def is_there(path: tuple[str, ...], entry: Mapping[str, Any]) -> bool:
    kind, found = type_at(path), at(path, entry)
    if kind == "open":
        return bool(found)
    if kind == "map":
        return any(isinstance(one, dict) and one for one in found)
    if kind in {"message", "struct"}:
        return any(isinstance(one, dict) for one in found)
    if kind in {"label", "time", "duration"} or path == ("textPayload",):
        return any(isinstance(one, str) for one in found)
    return any(decoded(kind, one) != DEFAULTS[kind] for one in found)


# Functions.


def texts(field: tree.Field | None, entry: Mapping[str, Any]) -> list[str]:
    if field is None:
        return texts_in(DESCRIPTOR, dict(entry))
    kind = type_at(field.path)
    if kind == "message":
        return [
            text
            for one in at(field.path, entry)
            for text in texts_in(descriptor_at(field.path), one)
        ]
    return [text for one in at(field.path, entry) for text in strings(one)]


def texts_in(descriptor: Any, value: Any) -> list[str]:
    found: list[str] = []
    for name, field in fields_of(descriptor).items():
        inner = value.get(name) if isinstance(value, Mapping) else None
        if field.kind == "message":
            many = inner if field.repeated and isinstance(inner, list) else [inner]
            found += [text for one in many for text in texts_in(field.message, one)]
        elif field.kind in {"text", "map", "struct"}:
            found += strings(inner)
    return found


def strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [text for one in inner for text in strings(one)]


DELIMITERS = sorted(
    [*"[]<>(){}|!;,'\"*&?+/:=@.-$%\\_ \t\r\n", "%21", "%26", "%2526", "%3b", "%7c", "%20", "%2b",
     "%3d", "%2520", "%5d", "%5b", "%3a", "%0a", "%2c", "%28", "%29"], key=len, reverse=True,
)  # fmt: skip


def tokens(folded: str) -> list[str]:
    for delimiter in DELIMITERS:
        folded = folded.replace(delimiter, " ")
    return folded.split()


def search(found: list[str], query: str) -> bool:
    folded = [fold(text) for text in found]
    parts = query.split("`")
    words = [word for part in parts[::2] for word in tokens(fold(part))]
    there = {token for text in folded for token in tokens(text)}
    phrases = [fold(part) for part in parts[1::2] if part]
    return all(word in there for word in words) and all(
        any(has_phrase(text, phrase) for text in folded) for phrase in phrases
    )


def has_phrase(text: str, phrase: str) -> bool:
    for start in range(len(text) - len(phrase) + 1):
        before, after = text[:start], text[start + len(phrase) :]
        begins = not before or before.endswith(tuple(DELIMITERS))
        ends = not after or after.startswith(tuple(DELIMITERS))
        if text.startswith(phrase, start) and begins and ends:
            return True
    return False


def hashed(value: Any) -> float:
    text = value if isinstance(value, str) else json.dumps(value)
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else text
    digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") / (2**64 - 1)


def in_net(text: str, net: str) -> bool:
    try:
        inner = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    outer = ipaddress.ip_network(net, strict=False)
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def cast(one: Typed, to: CastType, zone: str) -> Typed | None:
    kind, value = one
    made: Any = None
    match to:
        case CastType.STRING:
            made = as_text(kind, value, zone)
            return None if made is None else ("text", made)
        case CastType.INT64:
            if kind == "text":
                made = convert("int", value)
            elif kind in {"bool", "int", "severity", "number"} and abs(value) < 2**63:
                made = int(abs(value) + 0.5) * (-1 if value < 0 else 1)
            return None if made is None or not -(2**63) <= made < 2**63 else ("int", made)
        case CastType.FLOAT64:
            if kind in {"int", "number", "text"}:
                made = number(value) if kind == "text" else float(value)
            return None if made is None else ("number", made)
        case CastType.BOOL:
            if kind in {"bool", "int", "number", "text"}:
                made = convert("bool", value) if kind == "text" else value != 0
            return None if made is None else ("bool", made)
        case CastType.TIMESTAMP | CastType.DURATION:
            name = {CastType.TIMESTAMP: "time", CastType.DURATION: "duration"}[to]
            made = convert(name, value) if kind == "text" else value if kind == name else None
            return None if made is None else (name, made)


def as_text(kind: str, value: Any, zone: str) -> str | None:  # noqa: PLR0911 - by rule
    match kind:
        case "text":
            return str(value)
        case "bool":
            return str(value).lower()
        case "int" | "number":
            return str(int(value)) if float(value).is_integer() else repr(value)
        case "severity":
            return LEVELS[value // 100] if value % 100 == 0 and value <= 800 else str(value)
        case "time":
            local = (EPOCH + timedelta(seconds=value // 1)).astimezone(
                ZoneInfo(zone) if zone else UTC
            )
            offset = local.isoformat()[19:] if zone else "Z"
            return local.isoformat()[:19] + digits(value % 1) + offset
        case "duration":
            sign = "-" if value < 0 else ""
            return f"{sign}{abs(value) // 1}{digits(abs(value) % 1)}s"
        case _:
            return None


def digits(fraction: Fraction) -> str:
    """A fraction of a second with 0, 3, 6 or 9 digits."""
    text = f"{int(fraction * 10**9):09d}"
    return next(("." + text[:n] if n else "") for n in (0, 3, 6, 9) if not text[n:].strip("0"))
