"""What a JSON Schema asks of a value, in words: its type, and its limits."""

from collections.abc import Mapping
from typing import Any

from worker.catalog.text import as_json

_SHOWN = 12  # choices named in a sentence


def type_of(schema: Mapping[str, Any]) -> str:
    """The type: "string", "integer", "string (date)", "list of integer", "A or null"..."""
    for union in ("anyOf", "oneOf"):
        if schema.get(union):
            return " or ".join(dict.fromkeys(map(type_of, schema[union])))
    if len(schema.get("allOf", ())) == 1:
        return type_of(schema["allOf"][0])
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if values:
        return " or ".join(dict.fromkeys(map(_json_type, values)))
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return _plain_type(schema)


def _plain_type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type", "any JSON")
    if isinstance(kind, list):
        return " or ".join(map(str, kind))
    match kind:
        case "array":
            items = schema.get("items")
            return f"list of {type_of(items)}" if isinstance(items, dict) and items else "list"
        case "object":
            values = schema.get("additionalProperties")
            return f"map of {type_of(values)}" if isinstance(values, dict) and values else "object"
    return f"{kind} ({schema['format']})" if "format" in schema else str(kind)


def _json_type(value: Any) -> str:
    names = {str: "string", bool: "boolean", int: "integer", float: "number", list: "list"}
    return "null" if value is None else names.get(type(value), "object")


def limits_of(schema: Any) -> str:
    """What the value has to keep to: "from 1 to 8192, a multiple of 8". "" for anything."""
    if not isinstance(schema, dict):
        return ""  # true and false are schemas, too
    parts = [
        f"always {as_json(schema['const'], indent=None)}" if "const" in schema else "",
        _choices(schema.get("enum") or []),
        _range(schema),
        _count(schema, "minLength", "maxLength", "character"),
        _count(schema, "minItems", "maxItems", "item"),
        _count(schema, "minProperties", "maxProperties", "field"),
        f"a multiple of {schema['multipleOf']}" if "multipleOf" in schema else "",
        f"matches {schema['pattern']}" if "pattern" in schema else "",
        "no item twice" if schema.get("uniqueItems") else "",
    ]
    inner = [schema.get("items"), schema.get("additionalProperties")]
    parts += [f"each {limits}" for one in inner if (limits := limits_of(one))]
    options = [limits_of(one) for union in ("anyOf", "oneOf") for one in schema.get(union, ())]
    return ", ".join(filter(None, [*parts, " or ".join(filter(None, options))]))


def _choices(values: list[Any]) -> str:
    if not values:
        return ""
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return f"one of {', '.join(as_json(one, indent=None) for one in values[:_SHOWN])}{more}"


def _range(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        return f"from {low} to {high}"
    ends = {
        "at least": low,
        "above": schema.get("exclusiveMinimum"),
        "at most": high,
        "below": schema.get("exclusiveMaximum"),
    }
    return " and ".join(f"{word} {end}" for word, end in ends.items() if end is not None)


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
