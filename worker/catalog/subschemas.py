"""JSON Schemas taken apart: what a document may need to change in each schema inside another."""

import re
from collections.abc import Callable
from typing import Any

# What the worker's patterns (Rust's) have and JSON Schema's (ECMAScript's) have not: flags and
# names in Python's spelling, and the ends of the text.
_OTHER_REGEX = re.compile(r"\(\?(?![:=!<])|\\[AzZ]")
_ONE = frozenset(
    {
        "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not",
        "propertyNames", "then", "unevaluatedItems", "unevaluatedProperties",
    }
)  # fmt: skip
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset(
    {"$defs", "definitions", "dependentSchemas", "patternProperties", "properties"},
)

Change = Callable[[dict[str, Any]], dict[str, Any]]


def rewritten(schema: Any, change: Change) -> Any:
    """A copy in which each schema is what `change` makes of it, the innermost first.

    What is data (const, enum, default, examples) stays, whatever it looks like.
    """
    if not isinstance(schema, dict):
        return schema  # true and false are schemas too
    return change({key: _inside(key, value, change) for key, value in schema.items()})


def _inside(keyword: str, value: Any, change: Change) -> Any:
    if keyword in _ONE:
        return rewritten(value, change)
    if keyword in _MANY and isinstance(value, list):
        return [rewritten(one, change) for one in value]
    if keyword in _NAMED and isinstance(value, dict):
        return {name: rewritten(one, change) for name, one in value.items()}
    return value


def moved(schema: dict[str, Any], place: str) -> dict[str, Any]:
    """The schema as a part of a document: its references hold when it stands at `place`.

    `place` is a JSON pointer with its #. The document says which dialect it is written in.
    """

    def change(inner: dict[str, Any]) -> dict[str, Any]:
        inner = {key: value for key, value in inner.items() if key != "$schema"}
        if _OTHER_REGEX.search(str(inner.get("pattern", ""))):
            inner["$comment"] = f"the worker checks the pattern {inner.pop('pattern')}"
        if isinstance(ref := inner.get("$ref"), str):
            inner["$ref"] = _at(place, ref)
        if isinstance(choice := inner.get("discriminator"), dict):
            mapping = {k: _at(place, v) for k, v in choice.get("mapping", {}).items()}
            inner["discriminator"] = {**choice, "mapping": mapping}
        return inner

    changed: dict[str, Any] = rewritten(schema, change)
    return changed


def _at(place: str, reference: str) -> str:
    return place + reference[1:] if reference.startswith("#") else reference
