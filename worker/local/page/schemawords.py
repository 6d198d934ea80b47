"""The type that a JSON Schema asks for, in the words of people who fill in a form."""

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


def type_of(schema: Mapping[str, Any]) -> str:
    """The type: "text", "whole number", "date"..."""
    if "const" in schema:
        return "fixed"
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
