"""Requirements that a model has to refuse: an example, with one fault each."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from worker.builder.conformity import validator_of
from worker.builder.naming import free_name
from worker.explain import shorten

_MOST = 24  # tests of one feature
_LONGEST = 1000  # characters of a text that is too long
_OBJECT = {"wrong": "type"}


def faults_of(
    schema: Mapping[str, Any], example: Mapping[str, Any]
) -> tuple[tuple[str, dict[str, Any]], ...]:
    """What is wrong, as a part of a test's name, and the requirements that are wrong so."""
    validator = validator_of(schema)
    named: dict[str, dict[str, Any]] = {}
    for name, requirements in _faults(schema, example):
        if not validator.is_valid(requirements):
            named[free_name(_identifier(name), named)] = requirements
    return tuple(named.items())[:_MOST]


def _faults(
    schema: Mapping[str, Any], example: Mapping[str, Any]
) -> Iterator[tuple[str, dict[str, Any]]]:
    properties: dict[str, Any] = schema["properties"]
    yield "unknown_field", {**example, free_name("unknown", properties): True}
    shown = [name for name in properties if shorten(name) == name]  # as a rejection names them
    for name in shown:
        if name in schema["required"]:
            yield f"without_{name}", {key: example[key] for key in example if key != name}
    for name in shown:
        for fault, value in _wrong(properties[name]):
            yield f"{fault}_{name}", {**example, name: value}


def _wrong(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Values that are of another type, or just beyond a limit."""
    for kind in (schema, *schema.get("anyOf", ())):
        if "$ref" in kind or kind.get("type") in {"object", "array"}:
            yield "wrong_type_of", "wrong"
        elif kind.keys() & {"type", "enum"}:
            yield "wrong_type_of", _OBJECT
    yield from _beyond(schema)


def _beyond(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    if "enum" in schema:
        yield "unknown_choice_of", "none of these"
    if "format" in schema:
        yield "malformed", "no such thing"
    if "exclusiveMinimum" in schema:
        yield "too_small", schema["exclusiveMinimum"]
    if "minimum" in schema:
        yield "too_small", schema["minimum"] - 1
    if "exclusiveMaximum" in schema:
        yield "too_large", schema["exclusiveMaximum"]
    if "maximum" in schema:
        yield "too_large", schema["maximum"] + 1
    if schema.get("maxLength", _LONGEST) < _LONGEST:
        yield "too_long", "x" * (schema["maxLength"] + 1)
    if schema.get("minLength", 0) > 0:
        yield "too_short", ""
    if schema.get("minItems", 0) > 0:
        yield "too_few", []


def _identifier(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())[:60].strip("_")
