"""What a JSON Schema says about its values, read for an example."""

import math
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

Schema = Mapping[str, Any] | bool

_KINDS: dict[str, tuple[str, ...]] = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "string": ("pattern", "minLength", "maxLength", "format"),
}
ASSERTIONS = frozenset(("type", "enum", "const", "allOf", "anyOf", "oneOf", "$ref")).union(
    *_KINDS.values()
)


def given(schema: Schema) -> list[Any]:
    """The value that its author gives, if there is one."""
    if isinstance(schema, bool):
        return []
    if examples := schema.get("examples"):
        return [examples[0]] if isinstance(examples, list) else []
    if schema.get("default") is not None:
        return [schema["default"]]
    if "const" in schema:
        return [schema["const"]]
    choices = schema.get("enum", [])
    return [one for one in choices if one is not None][:1] or choices[:1]


def is_worth_showing(schema: Schema) -> bool:
    """Whether a property that may be left out is in the example."""
    if isinstance(schema, bool):
        return False
    return bool(schema.get("examples")) or schema.get("default") is not None


def kind_of(schema: Mapping[str, Any]) -> str:
    """Its type; without one, that of which its other keywords speak."""
    kind = schema.get("type")
    if isinstance(kind, list):
        return next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return kind
    return next((kind for kind, keys in _KINDS.items() if any(key in schema for key in keys)), "")


def joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both together; where both say the same keyword, the other one counts."""
    properties = {**one.get("properties", {}), **other.get("properties", {})}
    required = [*one.get("required", ()), *other.get("required", ())]
    lists = {"properties": properties, "required": required}
    return {**one, **other, **{key: value for key, value in lists.items() if value}}


def number_for(schema: Mapping[str, Any], *, whole: bool) -> float | int | None:
    """The number nearest to its lower limit, or below its upper one; None when none fits."""
    step = schema.get("multipleOf", 1)
    step = math.lcm(1, int(step)) if whole and step == int(step) else step
    for candidate in _numbers(schema, step):
        value = int(candidate) if whole and candidate == int(candidate) else candidate
        if _is_within(schema, value) and not (whole and value != int(value)):
            return value
    return None


def _numbers(schema: Mapping[str, Any], step: float) -> Iterator[float]:
    """Candidates: multiples of the step next to a limit, and what is between two limits."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    start = low if low is not None else high if high is not None else step
    yield from (step * times for times in (1, 0) if low is None and high is None)
    for offset in (0, 1, -1, 2):
        yield (start // step + offset) * step
    if "multipleOf" not in schema:
        yield from (start, (start + (high if high is not None else start)) / 2)


def _is_within(schema: Mapping[str, Any], value: float) -> bool:
    return (
        schema.get("minimum", value) <= value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
        and ("exclusiveMaximum" not in schema or value < schema["exclusiveMaximum"])
    )


def variants(schema: Schema, one: Any) -> Iterator[Any]:
    """Different values like this one, for an array that takes none twice."""
    if isinstance(schema, Mapping) and (schema.keys() & {"const", "enum", "examples"}):
        yield from schema.get("enum", [one])
    elif isinstance(one, bool):
        yield from (one, not one)
    elif isinstance(one, int):
        step = schema.get("multipleOf", 1) if isinstance(schema, Mapping) else 1
        yield from (one + step * times for times in count())
    elif isinstance(one, str) and not (
        isinstance(schema, Mapping) and schema.keys() & {*_KINDS["string"]}
    ):
        yield one
        yield from (f"{one} {times}" for times in count(2))
    else:
        yield one
