"""A JSON Schema -> the fields of a form that makes what the schema describes.

What no control can take well (unions, maps, arrays of objects, recursion) is a field for JSON text.
Nothing is refused here: whether values are right is said by the worker's own models.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from worker.local.page.formfield import MISSING, Field, Kind, items_of

_DEEPEST = 4  # groups in groups; what lies deeper is JSON text
_AREA = 200  # characters: a text that may be longer gets several lines
_SCALARS: Mapping[str, Kind] = {
    "string": "text",
    "integer": "whole",
    "number": "number",
    "boolean": "check",
}


def form_of(schema: Mapping[str, Any] | None) -> Field | None:
    """The form of a feature's requirements: a group without a path. None where it takes none."""
    if schema is None:
        return None
    definitions = schema.get("$defs")
    return _Reader(definitions if isinstance(definitions, dict) else {}).field((), schema)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads schemas; `within` are the references that lead to the one at hand."""

    definitions: Mapping[str, Any]
    within: tuple[str, ...] = ()

    def field(
        self, path: tuple[str, ...], schema: Mapping[str, Any], *, required: bool = True
    ) -> Field:
        """The field of one property."""
        plain, nullable, inner = self.plain(schema)
        made = Field(path, "json", plain, required, nullable, plain.get("default", MISSING))
        if inner is None or len(path) > _DEEPEST:
            return replace(made, schema=self._shown(schema))
        return inner.shaped(made)

    def plain(self, schema: Mapping[str, Any]) -> "tuple[dict[str, Any], bool, _Reader | None]":
        """References followed and `| None` taken off: schema, whether None fits, what reads on.

        No reader means that the schema refers to itself.
        """
        reader, nullable, found = self, False, dict(schema)
        while True:
            reference = found.pop("$ref", None)
            if reference is not None:
                if reference in reader.within:
                    return found, nullable, None
                reader = replace(reader, within=(*reader.within, str(reference)))
                target = self.definitions.get(str(reference).rpartition("/")[2])
                found = {**(target if isinstance(target, dict) else {}), **found}
                continue
            options, has_null = _options(found)
            nullable = nullable or has_null
            if len(options) != 1:
                return {**found, **({"anyOf": options} if has_null else {})}, nullable, reader
            rest = {k: v for k, v in found.items() if k not in ("anyOf", "allOf", "oneOf")}
            found = {**options[0], **rest}

    def shaped(self, made: Field) -> Field:
        """Give the field the kind that its schema asks for."""
        match _kind_of(made):
            case "group":
                return self._group(made)
            case "lines":
                return self._lines(made)
            case kind:
                return replace(made, kind=kind)

    def _group(self, made: Field) -> Field:
        required = made.schema.get("required", [])
        fields = tuple(
            self.field((*made.path, name), inner, required=name in required)
            for name, inner in made.schema["properties"].items()
        )
        return replace(made, kind="group", fields=fields)

    def _lines(self, made: Field) -> Field:
        """One item a line, where every item is a scalar."""
        items, nullable, reader = self.plain(items_of(made.schema))
        kind = _SCALARS.get(str(items.get("type")))
        if kind is None or nullable or reader is None or "prefixItems" in made.schema:
            return replace(made, schema=self._shown(made.schema))
        return replace(made, kind="lines", item=kind, schema={**made.schema, "items": items})

    def _shown(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema with the definitions that it may refer to."""
        shown = {key: value for key, value in schema.items() if key != "$defs"}
        return {**shown, "$defs": self.definitions} if "$ref" in json.dumps(shown) else shown


def _kind_of(made: Field) -> Kind:
    schema, kind = made.schema, str(made.schema.get("type"))
    maybe = not (made.must_choose or made.keeps_empty)  # nothing is an answer, too
    named = isinstance(schema.get("properties"), dict) and not schema.get("additionalProperties")
    cases: list[tuple[object, Kind]] = [
        ("const" in schema and not maybe, "fixed"),
        ("const" in schema or schema.get("enum") or (kind == "boolean" and maybe), "choice"),
        (kind == "object" and named, "group"),
        (kind == "array", "lines"),
        (kind == "string" and _is_long(schema), "area"),
    ]
    return next((found for true, found in cases if true), _SCALARS.get(kind, "json"))


def _options(schema: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], bool]:
    """The alternatives beside null, and whether null is another."""
    for key in ("anyOf", "oneOf", "allOf"):
        options = schema.get(key)
        if isinstance(options, list) and all(isinstance(one, dict) for one in options):
            rest = [one for one in options if one.get("type") != "null"]
            return rest, len(options) > len(rest)
    return [], False


def _is_long(schema: Mapping[str, Any]) -> bool:
    short = "pattern" in schema or "format" in schema
    return not short and schema.get("maxLength", _AREA + 1) > _AREA
