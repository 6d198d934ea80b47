"""What a JSON Schema asks of a value, in the words of people."""

import json
from collections.abc import Mapping
from typing import Any

_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "array": "list",
    "object": "object",
    "null": "nothing",
}
_FORMATS = {
    "date": "date",
    "time": "time",
    "date-time": "date and time",
    "email": "e-mail address",
    "uri": "web address",
    "uuid": "UUID",
    "duration": "duration (ISO 8601)",
}
_SHOWN = 12  # choices named in a sentence


def type_of(schema: Mapping[str, Any]) -> str:
    """The type: "text", "whole number", "date"..."""
    if "const" in schema:
        return "always the same"
    if schema.get("enum"):
        return "choice"
    if options := schema.get("anyOf"):
        return " or ".join(dict.fromkeys(type_of(one) for one in options))
    named = _FORMATS.get(str(schema.get("format")))
    return named or _TYPES.get(str(schema.get("type")), "JSON")


def plural(words: str) -> str:
    """A type as the items of a list are called."""
    same = ("text", "JSON", "yes or no")
    return words if words in same or words.endswith(")") else f"{words}{_ending(words)}"


def _ending(words: str) -> str:
    return "es" if words.endswith("s") else "s"


def limits_of(schema: Mapping[str, Any]) -> str:
    """What the value has to keep to: "from 1 to 8192, a multiple of 8". "" for anything."""
    parts = [
        _constant(schema),
        _choices(schema),
        _range(schema),
        _count(schema, "minLength", "maxLength", "character"),
        _count(schema, "minItems", "maxItems", "item"),
        f"a multiple of {schema['multipleOf']}" if "multipleOf" in schema else "",
        f"matches {schema['pattern']}" if "pattern" in schema else "",
        "no item twice" if schema.get("uniqueItems") else "",
    ]
    items = schema.get("items")
    if isinstance(items, dict) and (each := limits_of(items)):
        parts.append(f"each {each}")
    return ", ".join(part for part in parts if part)


def _constant(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema["const"], ensure_ascii=False) if "const" in schema else ""


def _choices(schema: Mapping[str, Any]) -> str:
    values = schema.get("enum")
    if not isinstance(values, list) or not values:
        return ""
    shown = [one if isinstance(one, str) else json.dumps(one) for one in values[:_SHOWN]]
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return "one of " + ", ".join(shown) + more


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"from {low} to {high}"
    ends = [
        f"at least {low}" if low is not None else "",
        f"above {above}" if above is not None else "",
        f"at most {high}" if high is not None else "",
        f"below {below}" if below is not None else "",
    ]
    return " and ".join(end for end in ends if end)


def _count(schema: Mapping[str, Any], least: str, most: str, thing: str) -> str:
    low, high = schema.get(least), schema.get(most)
    if low is not None and low == high:
        return f"exactly {_number(low, thing)}"
    if low and high is not None:
        return f"{low} to {_number(high, thing)}"
    if high is not None:
        return f"at most {_number(high, thing)}"
    return f"at least {_number(low, thing)}" if low else ""


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}{'' if count == 1 else 's'}"
