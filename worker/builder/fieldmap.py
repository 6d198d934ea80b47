"""A field map, `{"pet_id": "uuid", "weight_kg": "float > 0"}`, as a JSON Schema."""

import re
from collections.abc import Mapping
from typing import Any

from worker.builder.order import OrderRefused
from worker.explain import shorten

_WORDS: dict[str, tuple[str, ...]] = {
    "string": ("string", "str", "text"),
    "integer": ("integer", "int"),
    "number": ("number", "float", "double"),
    "boolean": ("boolean", "bool"),
    "array": ("list",),
    "object": ("object", "dict", "map"),
    "null": ("null", "none"),
}
_FORMATS: dict[str, tuple[str, ...]] = {
    "date-time": ("date-time", "datetime", "timestamp"),
    "uri": ("uri", "url"),
} | {name: (name,) for name in ("uuid", "date", "time", "duration", "email", "ipv4", "ipv6")}
_TYPES: dict[str, dict[str, Any]] = (
    {word: {"type": kind} for kind, words in _WORDS.items() for word in words}
    | {word: {"type": "string", "format": one} for one, words in _FORMATS.items() for word in words}
    | {"decimal": {"type": "number", "format": "decimal"}, "any": {}, "json": {}}
)
_LIMITS = {
    "number": {
        ">": "exclusiveMinimum",
        ">=": "minimum",
        "<": "exclusiveMaximum",
        "<=": "maximum",
    },
    "string": {">=": "minLength", "<=": "maxLength"},
    "array": {">=": "minItems", "<=": "maxItems"},
}
_LIMITS["integer"] = _LIMITS["number"]

_NUMBER = r"[-+]?\d{1,30}(?:\.\d{1,30})?"
_LIMIT = re.compile(rf"\s*(>=|<=|>|<)\s*({_NUMBER})")
_LIMITED = re.compile(rf"(?P<type>[^<>]*?)(?P<limits>(?:\s*(?:>=|<=|>|<)\s*{_NUMBER})+)")
_LONGEST = 2000  # characters of a type
_DEEPEST = 8  # lists of lists in it
_WANT = (
    'want a type such as "uuid", "float > 0", "string <= 200", "date", "list[int]", "a | b" or '
    '"one of a, b", with ? at the end if it may be left out'
)


def schema_of(fields: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The JSON Schema of an object with these fields and no others.

    Each value is a type (`"int >= 1 <= 10"`, `"string?"`), a list of one (`["uuid"]`: a list of
    them) or a field map of its own. A name or a type that ends in ? may be left out.
    Raises OrderRefused with the path of the first that is none.
    """
    properties: dict[str, Any] = {}
    required = []
    for key, value in fields.items():
        name, here = key.removesuffix("?"), f"{where}.{shorten(key)}"
        if name in properties or not name:
            raise OrderRefused(f"{here}: the name is empty, or there twice")
        properties[name], optional = _field(value, here)
        if not optional and name == key:
            required.append(name)
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _field(value: Any, where: str) -> tuple[dict[str, Any], bool]:
    """Its schema, and whether it may be left out."""
    match value:
        case str() if len(value) > _LONGEST or value.count("[") > _DEEPEST:
            raise OrderRefused(f"{where}: too long, or too many lists in lists, for a field type")
        case str():
            text = value.strip()
            return _type(text.removesuffix("?").strip(), where), text.endswith("?")
        case [inner]:
            return {"type": "array", "items": _field(inner, where)[0]}, False
        case dict() if value:
            return schema_of(value, where), False
    raise OrderRefused(f"{where}: is no field type ({_WANT})")


def _type(text: str, where: str) -> dict[str, Any]:
    """Of one type with its limits, of a list, or of a choice."""
    if text.lower().startswith("one of "):
        return {"enum": _choices(text[len("one of ") :].split(","), where)}
    if text.startswith("list[") and text.endswith("]"):
        return {"type": "array", "items": _type(text[len("list[") : -1].strip(), where)}
    if "|" in text and "[" not in text:
        return _either([part.strip() for part in text.split("|")], where)
    if text.endswith("[]"):
        return {"type": "array", "items": _type(text[:-2].strip(), where)}
    if found := _LIMITED.fullmatch(text):
        return _limited(_type(found["type"].strip(), where), found["limits"], where)
    if text.lower() not in _TYPES:
        raise OrderRefused(f"{where}: is no field type ({_WANT})")
    return dict(_TYPES[text.lower()])


def _either(parts: list[str], where: str) -> dict[str, Any]:
    """Types, one of which it has to be, or words, one of which it has to say."""
    limited = [_LIMITED.fullmatch(part) for part in parts]
    bare = [found["type"] if found else part for found, part in zip(limited, parts, strict=True)]
    kinds = [one.strip().lower() in _TYPES for one in bare]
    if all(kinds):
        return {"anyOf": [_type(part, where) for part in parts]}
    if any(kinds):
        raise OrderRefused(f'{where}: mixes types and words (for words, write "one of a, b")')
    return {"enum": _choices(parts, where)}


def _choices(parts: list[str], where: str) -> list[str] | list[int]:
    words = [part.strip().strip("\"'") for part in parts]
    if not all(words) or len(set(words)) < len(words):
        raise OrderRefused(f"{where}: a choice is empty, or there twice")
    if all(re.fullmatch(r"-?\d{1,30}", word, re.ASCII) for word in words):
        return list(dict.fromkeys(int(word) for word in words))
    return words


def _limited(schema: dict[str, Any], limits: str, where: str) -> dict[str, Any]:
    keywords = _LIMITS.get(schema.get("type", ""), {})
    if "format" in schema and schema["type"] == "string":
        keywords = {}
    for sign, number in _LIMIT.findall(limits):
        keyword = keywords.get(sign)
        whole = schema.get("type") != "number"
        if keyword is None or keyword in schema:
            raise OrderRefused(f"{where}: {sign} does not go with its type, or is there twice")
        if whole and ("." in number or (schema["type"] != "integer" and "-" in number)):
            raise OrderRefused(f"{where}: want a whole number after {sign}")
        schema[keyword] = float(number) if "." in number else int(number)
    return schema
