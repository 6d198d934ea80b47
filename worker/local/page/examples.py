"""A value that a form's schema describes: what its author gives as an example, else made up."""

from collections.abc import Mapping
from typing import Any

from worker.local.page.formfield import MISSING, Field

_TEXT = "text"


def example_of(field: Field) -> Any:
    """An example. What may be left out is there when it has an example or a default."""
    given = _given(field)
    if given is not MISSING:
        return given
    if field.kind == "group":
        inner = {one.path[-1]: _inner(one) for one in field.fields}
        return {name: value for name, value in inner.items() if value is not MISSING}
    if field.kind == "fixed":
        return field.schema["const"]
    return _made_up(field)


def _inner(field: Field) -> Any:
    """Of a property: its example, else nothing for one that may be left out."""
    return example_of(field) if field.required or _given(field) is not MISSING else MISSING


def _given(field: Field) -> Any:
    examples = field.schema.get("examples")
    if isinstance(examples, list) and examples:
        return examples[0]
    return field.default if field.default is not None else MISSING


def _made_up(field: Field) -> Any:
    schema = field.schema
    match field.kind:
        case "choice":
            return (schema.get("enum") or [schema.get("const", True)])[0]
        case "whole" | "number":
            return _number(schema)
        case "check":
            return True
        case "lines":
            return []
        case "json":
            return {} if schema.get("type") == "object" else []
    text = field.sample or _TEXT
    return text.ljust(int(schema.get("minLength", 0)), "x")[: schema.get("maxLength")]


def _number(schema: Mapping[str, Any]) -> Any:
    step = schema.get("multipleOf", 1)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    if low is not None:
        return (low // step + ("minimum" not in schema or bool(low % step))) * step
    if high is None or step < high:
        return step
    return (high // step - ("maximum" not in schema and not high % step)) * step
