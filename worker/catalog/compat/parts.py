"""A JSON Schema taken apart: references followed, unions spread out, into plain alternatives."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Plain = dict[str, Any]  # keywords, none of which is a reference or joins schemas

EVERY = ("null", "boolean", "integer", "number", "string", "array", "object")
ANNOTATIONS = frozenset({
    "$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default",
    "examples", "deprecated", "readOnly", "writeOnly", "contentEncoding", "contentMediaType",
    "contentSchema",
})  # fmt: skip
_JOINING = ("$ref", "allOf", "anyOf", "oneOf")
_GROUPS = (
    ("properties", "patternProperties", "additionalProperties"),
    ("prefixItems", "items"),
    ("if", "then", "else"),
    ("contains", "minContains", "maxContains"),
)
_DEEPEST = 50  # references that lead to references, and unions in unions
_MOST = 200  # alternatives of one schema


class CannotCompare(Exception):
    """What it is in the schemas that nobody here understands well enough."""


def resolve(reference: str, document: Any) -> Any:
    """What a reference within the document leads to. Raises CannotCompare."""
    start, *parts = reference.split("/")
    if start != "#":
        raise CannotCompare("$ref")
    found = document
    try:
        for part in parts:
            name = part.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
    except (LookupError, TypeError, ValueError):
        raise CannotCompare("$ref") from None
    return found


class Parts:
    """Takes the schemas of one document apart.

    `exact`: as many values as the schema takes, never more. Otherwise there may be more, where
    alternatives that exclude each other overlap.
    """

    def __init__(self, document: Any, *, exact: bool) -> None:
        self.document = document
        self._exact = exact

    def of(self, schema: Any, depth: int = 0) -> list[Plain]:
        """A value that fits the schema fits one of these. Raises CannotCompare."""
        if isinstance(schema, bool):
            return [{}] if schema else []
        if depth > _DEEPEST:
            raise CannotCompare("references that lead to references")
        own = {k: v for k, v in schema.items() if k not in ANNOTATIONS and k not in _JOINING}
        own.pop("discriminator", None)
        result = [own]
        for joined in self._joined(schema, depth + 1):
            if len(result) * len(joined) > _MOST:
                raise CannotCompare("a union of so many")
            result = [_both(one, other) for one in result for other in joined]
        return result

    def _joined(self, schema: Plain, depth: int) -> Iterator[list[Plain]]:
        """What has to hold besides, each as its alternatives."""
        if "$ref" in schema:
            yield self.of(resolve(schema["$ref"], self.document), depth)
        for one in schema.get("allOf", ()):
            yield self.of(one, depth)
        if "anyOf" in schema:
            yield [part for one in schema["anyOf"] for part in self.of(one, depth)]
        if "oneOf" in schema:
            tag = schema.get("discriminator", {}).get("propertyName")
            members = [self.of(one, depth) for one in schema["oneOf"]]
            if self._exact and not tag and not _exclude_each_other(members):
                raise CannotCompare("oneOf")
            with_tag: Plain = {"required": [tag]} if tag else {}
            yield [_both(part, with_tag) for one in members for part in one]


def kinds(plain: Mapping[str, Any]) -> tuple[str, ...]:
    """The kinds of JSON values that may fit; `number` are those that are no whole numbers."""
    given = plain.get("type", EVERY)
    names = {given} if isinstance(given, str) else set(given)
    if "number" in names:
        names.add("integer")
    listed = values(plain)
    if listed is not None:
        names &= {kind_of(one) for one in listed}
    return tuple(kind for kind in EVERY if kind in names)


def kind_of(value: Any) -> str:
    """The kind of a JSON value."""
    if isinstance(value, float) and value.is_integer():
        return "integer"
    of_type = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string"}
    return of_type.get(type(value)) or ("array" if isinstance(value, list) else "object")


def values(plain: Mapping[str, Any]) -> list[Any] | None:
    """The values that alone may fit, None where they are not listed."""
    if "const" in plain:
        return [plain["const"]]
    return list(plain["enum"]) if "enum" in plain else None


def _both(one: Plain, other: Plain) -> Plain:
    """What fits both. Raises CannotCompare."""
    for group in _GROUPS:
        ours = {name: one[name] for name in group if name in one}
        theirs = {name: other[name] for name in group if name in other}
        if ours and theirs and ours != theirs:
            raise CannotCompare("allOf")
    joined = {**one, **other}
    for name in one.keys() & other.keys():
        if name == "required":
            joined[name] = [*one[name], *(n for n in other[name] if n not in one[name])]
        elif name == "type":
            joined[name] = [kind for kind in kinds(one) if kind in kinds(other)]
        elif one[name] != other[name]:
            raise CannotCompare("allOf")
    return joined


def _exclude_each_other(members: Sequence[Iterable[Plain]]) -> bool:
    return all(
        _exclude(mine, theirs)
        for number, member in enumerate(members)
        for other in members[number + 1 :]
        for mine in member
        for theirs in other
    )


def _exclude(one: Plain, other: Plain) -> bool:
    """Whether no value fits both; what is not obvious counts as no."""
    if not set(kinds(one)) & set(kinds(other)) or _differ(one, other):
        return True
    if set(kinds(one)) & set(kinds(other)) != {"object"}:
        return False
    tags = set(one.get("required", ())) & set(other.get("required", ()))
    ours, theirs = one.get("properties", {}), other.get("properties", {})
    return any(_differ(ours.get(tag), theirs.get(tag)) for tag in tags)


def _differ(one: Any, other: Any) -> bool:
    """Whether both list their values and have none in common."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return False
    listed = [values(one), values(other)]
    if listed[0] is None or listed[1] is None:
        return False
    ours, theirs = ({json.dumps(v, sort_keys=True) for v in some or ()} for some in listed)
    return not ours & theirs
