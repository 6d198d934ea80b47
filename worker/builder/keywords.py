"""The keywords of JSON Schema that a model can be made of, and how two schemas become one."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from worker.builder.order import OrderRefused

ANNOTATIONS = ("title", "description", "default", "examples")
OF_TYPE = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "string": ("pattern", "minLength", "maxLength", "format"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "integer": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    "boolean": (),
    "null": (),
}
_COMBINING = ("type", "enum", "const", "anyOf", "oneOf", "allOf", "$ref")
_KNOWN = frozenset(ANNOTATIONS + _COMBINING).union(*OF_TYPE.values())

# They limit what is taken, so leaving them out would make a model that takes too much.
_NOT_BUILT = frozenset((
    "not", "if", "then", "else", "dependentSchemas", "dependentRequired", "dependencies",
    "patternProperties", "propertyNames", "minProperties", "maxProperties", "contains",
    "minContains", "maxContains", "unevaluatedItems", "unevaluatedProperties", "additionalItems",
    "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor",
))  # fmt: skip


KEYWORDS = _KNOWN | _NOT_BUILT


def known(schema: Mapping[str, Any], where: str, *, root: bool = False) -> dict[str, Any]:
    """Leave out the keywords that limit nothing. Raises OrderRefused for those we cannot build."""
    for keyword in schema:
        if keyword in _NOT_BUILT:
            raise OrderRefused(f"{where}.{keyword}: this keyword cannot be built")
        if keyword in {"$id", "$schema"} and not root:
            raise OrderRefused(f"{where}.{keyword}: goes to the top of the schema, nowhere else")
    return {key: value for key, value in schema.items() if key in _KNOWN}


def kinds_of(schema: Mapping[str, Any]) -> list[str]:
    """Its types; without any, the one of which its keywords speak; none when they speak of none."""
    said = schema.get("type")
    if said is not None:
        return [said] if isinstance(said, str) else list(said)
    return [
        kind
        for kind, keywords in OF_TYPE.items()
        if kind != "integer" and any(keyword in schema for keyword in keywords)
    ][:1]


def merged(parts: Sequence[Mapping[str, Any]], where: str) -> dict[str, Any]:
    """One schema that takes what all of them take. Raises OrderRefused where that is not clear."""
    whole: dict[str, Any] = {}
    for part in parts:
        for keyword, value in part.items():
            if keyword not in whole:
                whole[keyword] = value
            elif whole[keyword] != value or isinstance(value, bool) != isinstance(
                whole[keyword], bool
            ):
                whole[keyword] = _both(keyword, whole[keyword], value, f"{where}.{keyword}")
    return whole


def _both(keyword: str, one: Any, other: Any, where: str) -> Any:
    if keyword in ANNOTATIONS:
        return other
    if keyword in _STRICTER:
        return _STRICTER[keyword](one, other)
    if keyword in {"items", "additionalProperties"}:
        return {"allOf": [one, other]} if one is not False and other is not False else False
    both = {"type": _types, "enum": _choices}.get(keyword)
    result = both(one, other) if both else None
    if not result:
        raise OrderRefused(f"{where}: said twice, and the two do not go together")
    return result


def _properties(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    shared = {name: {"allOf": [one[name], other[name]]} for name in one if name in other}
    return {**one, **other, **shared}


def _types(one: Any, other: Any) -> list[str]:
    here, there = ([said] if isinstance(said, str) else list(said) for said in (one, other))
    return [
        kind
        for kind in OF_TYPE
        if all(kind in said or (kind == "integer" and "number" in said) for said in (here, there))
        and kind in here + there
    ]


def _choices(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    return [value for value in one if is_in(value, other)]


def is_in(value: Any, values: Sequence[Any]) -> bool:
    """Whether it is one of them, in JSON's sense: true is not 1."""
    return any(value == one and isinstance(value, bool) == isinstance(one, bool) for one in values)


_STRICTER: dict[str, Callable[[Any, Any], Any]] = {
    "required": lambda one, other: [*one, *(name for name in other if name not in one)],
    "properties": _properties,
    "uniqueItems": lambda one, other: one or other,
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems"), min),
}


def whole_limits(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Limits of an integer, as integers."""
    limits: dict[str, Any] = {}
    for keyword, value in schema.items():
        match keyword:
            case "minimum":
                limits[keyword] = math.ceil(value)
            case "maximum":
                limits[keyword] = math.floor(value)
            case "exclusiveMinimum":
                limits[keyword] = math.floor(value)
            case "exclusiveMaximum":
                limits[keyword] = math.ceil(value)
            case "multipleOf" if value == int(value):
                limits[keyword] = int(value)
            case "multipleOf":
                limits[keyword] = value
    return limits
