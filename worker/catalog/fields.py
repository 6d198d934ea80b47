"""A JSON Schema -> the fields that it describes, one row each, for tables."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from worker.catalog.text import as_json
from worker.catalog.words import limits_of, type_of

_MOST = 200  # rows of a table; the JSON Schema has the rest
_SAYS_NOTHING = frozenset({"$ref", "title", "description", "default", "examples"})
_DEEPEST = 6  # levels of fields in fields


@dataclass(frozen=True, slots=True)
class Row:
    """One field. `path` leads to it: `owner.name`, `visits[].date`, `weights.*`."""

    path: str
    type: str
    needed: str
    limits: str
    meaning: str


def rows_of(schema: Mapping[str, Any] | None) -> list[Row]:
    """The fields of an object, those inside them too; one row for what is no object."""
    if schema is None:
        return []
    walk = _Walk(schema.get("$defs", {}))
    rows = list(islice(walk.inside("", schema), _MOST + 1))
    if len(rows) > _MOST:
        return [*rows[:_MOST], Row("…", "", "", "", "the JSON Schema has the rest")]
    whole = walk.expanded(schema)
    if rows or whole.get("type") == "object":
        return rows
    return [_row("", whole, needed=False)]


@dataclass(frozen=True, slots=True)
class _Walk:
    """Goes through a schema. `within` are the references that lead to where it is."""

    definitions: Mapping[str, Any]
    within: tuple[str, ...] = field(default=())

    def resolved(self, schema: Mapping[str, Any]) -> "tuple[Mapping[str, Any], _Walk]":
        """The schema with its reference followed, and the walk there."""
        reference = schema.get("$ref")
        if reference is None:
            return schema, self
        target = self.definitions.get(str(reference).rpartition("/")[2], {})
        return {**target, **schema}, _Walk(self.definitions, (*self.within, str(reference)))

    def inside(self, path: str, schema: Mapping[str, Any]) -> Iterator[Row]:
        """Rows of the fields of an object, of a list's items, of a map's values, of a union."""
        if schema.get("$ref") in self.within or len(self.within) > _DEEPEST:
            return  # it holds itself
        whole, walk = self.resolved(schema)
        for name, inner in whole.get("properties", {}).items():
            there = f"{path}.{name}" if path else name
            yield _row(there, walk.expanded(inner), needed=name in whole.get("required", ()))
            yield from walk.inside(there, inner)
        for key, mark in (("items", "[]"), ("additionalProperties", ".*")):
            if isinstance(whole.get(key), dict):
                yield from walk.inside(f"{path}{mark}", whole[key])
        options = [one for union in ("anyOf", "oneOf", "allOf") for one in whole.get(union, ())]
        several = sum("$ref" in one for one in options) > 1
        for one in options:
            yield from walk.inside(f"{path} ({type_of(one)})" if several else path, one)

    def expanded(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """The schema with the references followed that say what one value has to keep to."""
        whole = self._followed(schema)
        for key in ("items", "additionalProperties"):
            if isinstance(whole.get(key), dict):
                whole[key] = self._followed(whole[key])
        for key in ("anyOf", "oneOf"):
            if key in whole:
                whole[key] = [self._followed(one) for one in whole[key]]
        return whole

    def _followed(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """With its reference followed, and still named unless it leads to any JSON."""
        whole = dict(self.resolved(schema)[0])
        if whole.keys() <= _SAYS_NOTHING:
            whole.pop("$ref", None)
        return whole


def _row(path: str, schema: Mapping[str, Any], *, needed: bool) -> Row:
    default = schema.get("default")
    otherwise = "no" if default is None else f"no, default {as_json(default, indent=None)}"
    about = str(schema.get("description", ""))
    return Row(path, type_of(schema), "yes" if needed else otherwise, limits_of(schema), about)
