"""A schema as text, the same for two that differ only in texts or in names of definitions."""

import json
from typing import Any

from worker.catalog.compat.parts import ANNOTATIONS, resolve

_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas"})
_VALUES = frozenset({"const", "enum", "dependentRequired"})


def shape(schema: Any, document: Any) -> str:
    """Raises CannotCompare for a reference that leads nowhere."""
    return json.dumps(_shape(schema, document, {}), sort_keys=True)


def _shape(schema: Any, document: Any, numbers: dict[str, int]) -> Any:
    """`numbers`: the references that were followed already, so that recursion ends."""
    if isinstance(schema, list):
        return [_shape(one, document, numbers) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, Any] = {}
    for keyword, value in sorted(schema.items()):
        if keyword == "$ref":
            made[keyword] = _followed(value, document, numbers)
        elif keyword in _NAMED:
            made[keyword] = {k: _shape(v, document, numbers) for k, v in sorted(value.items())}
        elif keyword in ("required", "type"):
            made[keyword] = sorted([value] if isinstance(value, str) else value)
        elif keyword == "discriminator":
            made[keyword] = value.get("propertyName")
        elif keyword in _VALUES:
            made[keyword] = value
        elif keyword not in ANNOTATIONS:
            made[keyword] = _shape(value, document, numbers)
    return made


def _followed(reference: str, document: Any, numbers: dict[str, int]) -> Any:
    if reference in numbers:
        return numbers[reference]
    numbers[reference] = len(numbers)
    return _shape(resolve(reference, document), document, numbers)
