"""Texts, numbers, choices and the length of lists: what a schema says of them, made exact."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import SchemaError, SchemaValidator, core_schema

from worker.builder import limits
from worker.builder.keywords import OF_TYPE, is_in, whole_limits
from worker.builder.order import OrderRefused

# Those that become a type of their own; any other format says nothing that a model could check.
FORMATS = frozenset(
    ("uuid", "date", "date-time", "time", "duration", "email", "uri", "ipv4", "ipv6", "hostname")
)
_LIKE = {"idn-email": "email", "iri": "uri"}


def scalar(schema: Mapping[str, Any], kind: str, where: str) -> dict[str, Any]:
    """A text, a number, a boolean or null, with its limits."""
    limited = {key: schema[key] for key in OF_TYPE[kind] if key in schema}
    match kind:
        case "string":
            return {"type": kind} | _text_limits(limited, where)
        case "integer":
            return {"type": kind} | whole_limits(limited)
    if kind == "number" and schema.get("format") == "decimal":
        limited["format"] = "decimal"
    return {"type": kind} | limited


def _text_limits(said: dict[str, Any], where: str) -> dict[str, Any]:
    for keyword in {"minLength", "maxLength"} & said.keys():
        said[keyword] = _count(said[keyword], f"{where}.{keyword}")
    if said.get("minLength", 0) > limits.TEXT:
        raise OrderRefused(f"{where}.minLength: at most {limits.TEXT}")
    if "pattern" in said:
        _check_pattern(said["pattern"], f"{where}.pattern")
    form = said.pop("format", "")
    form = _LIKE.get(form, form)
    if form in FORMATS and not said:  # a date has no length, and so have the others none
        said["format"] = form
    return said


def _check_pattern(pattern: str, where: str) -> None:
    if len(pattern) > limits.PATTERN:
        raise OrderRefused(f"{where}: longer than {limits.PATTERN} characters")
    try:
        SchemaValidator(core_schema.str_schema(pattern=pattern))
    except SchemaError:
        raise OrderRefused(
            f"{where}: is no pattern that pydantic takes (no look-around, no references back)"
        ) from None


def _count(value: float, where: str) -> int:
    if value > limits.NUMBER:
        raise OrderRefused(f"{where}: too large")
    return min(int(value), 2**31)


def choices(schema: Mapping[str, Any], kinds: Sequence[str], where: str) -> dict[str, Any]:
    """The values that it takes, of those that are named."""
    named = list(schema.get("enum", [schema.get("const")]))
    if "const" in schema:
        named = [schema["const"]] if is_in(schema["const"], named) else []
    if len(named) > limits.CHOICES:
        raise OrderRefused(f"{where}.enum: at most {limits.CHOICES} values")
    taken: list[Any] = []
    for value in named:
        one = int(value) if isinstance(value, float) and value == int(value) else value
        if isinstance(one, (list, dict, float)):
            raise OrderRefused(f"{where}: want texts, whole numbers, true, false or null to choose")
        if ("type" not in schema or _kind(one, kinds)) and not is_in(one, taken):
            taken.append(one)
    others = schema.keys() & {"anyOf", "oneOf", *OF_TYPE["string"], *OF_TYPE["number"]}
    if others:
        raise OrderRefused(f"{where}.{min(others)}: does not go with enum or const")
    if not taken:
        raise OrderRefused(f"{where}: takes no value at all")
    return {"enum": taken}


def _kind(value: Any, kinds: Sequence[str]) -> bool:
    match value:
        case None:
            return "null" in kinds
        case bool():
            return "boolean" in kinds
        case int():
            return "integer" in kinds or "number" in kinds
    return "string" in kinds


def array_limits(schema: Mapping[str, Any], where: str) -> dict[str, Any]:
    """How many items a list has."""
    limited: dict[str, Any] = {
        keyword: _count(schema[keyword], f"{where}.{keyword}")
        for keyword in ("minItems", "maxItems")
        if keyword in schema
    }
    if limited.get("minItems", 0) > limits.ITEMS:
        raise OrderRefused(f"{where}.minItems: at most {limits.ITEMS}")
    if schema.get("items", True) is False and "prefixItems" not in schema:
        limited["maxItems"] = 0
    return limited | ({"uniqueItems": True} if schema.get("uniqueItems") else {})
