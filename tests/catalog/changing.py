"""Small JSON Schemas, values that fit them, and changes to them, for property tests."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
Schema = dict[str, Any]

NAMES = ("a", "b", "c")
FORMATS = ("date", "ipv4")
TEXTS = ("", "x", "xy", "xyz", "2026-01-01", "10.0.0.1", "pet-1")
NUMBERS = (-3, 0, 1, 2, 4, 6, 9, 0.5, 2.5)
REFERENCE = {"$ref": "#/$defs/node"}


@st.composite
def documents(draw: Draw) -> Schema:
    """A whole document: an object, with a definition that may hold itself."""
    node = draw(_objects(1))
    return {**draw(_objects(2)), "$defs": {"node": node}}


@st.composite
def schemas(draw: Draw, depth: int = 2) -> Any:
    """One that a field may have; deeper ones are simpler."""
    simple = [_strings(), _numbers("integer"), _numbers("number"), _listed(), _plain()]
    if depth <= 0:
        return draw(st.one_of(simple))
    nested = [_arrays(depth - 1), _objects(depth - 1), _unions(depth - 1), st.just(REFERENCE)]
    return draw(st.one_of(*simple, *nested))


def _some(**keywords: st.SearchStrategy[Any]) -> st.SearchStrategy[Schema]:
    return st.fixed_dictionaries({}, optional=keywords)


def _strings() -> st.SearchStrategy[Schema]:
    limits = _some(
        minLength=st.integers(0, 2),
        maxLength=st.integers(1, 10),
        format=st.sampled_from(FORMATS),
        pattern=st.sampled_from(["^x", "^pet-"]),
    )
    return limits.map(lambda some: {"type": "string", **some})


def _numbers(kind: str) -> st.SearchStrategy[Schema]:
    limits = _some(
        minimum=st.integers(-3, 2),
        exclusiveMinimum=st.integers(-3, 2),
        maximum=st.integers(2, 9),
        exclusiveMaximum=st.sampled_from([4, 6.5, 9]),
        multipleOf=st.sampled_from([1, 2, 0.5]),
    )
    return limits.map(lambda some: {"type": kind, **some})


def _listed() -> st.SearchStrategy[Schema]:
    value: st.SearchStrategy[Any] = st.sampled_from([*TEXTS, *NUMBERS, True, False, None, [], {}])
    many = st.lists(value, min_size=1, max_size=3).map(lambda some: {"enum": some})
    return many | value.map(lambda one: {"const": one})


def _plain() -> st.SearchStrategy[Schema]:
    return st.sampled_from(
        [{}, {"type": "boolean"}, {"type": "null"}, {"type": ["string", "null"]}, {"type": "array"}]
    )


@st.composite
def _arrays(draw: Draw, depth: int) -> Schema:
    limits = _some(
        minItems=st.integers(0, 1), maxItems=st.integers(0, 3), uniqueItems=st.booleans()
    )
    schema = {"type": "array", "items": draw(schemas(depth)), **draw(limits)}
    if draw(st.booleans()):
        schema["prefixItems"] = [draw(schemas(depth))]
    return schema


@st.composite
def _objects(draw: Draw, depth: int) -> Schema:
    names = draw(st.lists(st.sampled_from(NAMES), unique=True, max_size=3))
    schema: Schema = {"type": "object", "properties": {n: draw(schemas(depth)) for n in names}}
    if names:
        schema["required"] = draw(st.lists(st.sampled_from(names), unique=True))
    rest = draw(st.sampled_from(["closed", "ignored", "open", "typed"]))
    if rest != "ignored":
        of = {"closed": st.just(False), "open": st.just(True), "typed": schemas(0)}
        schema["additionalProperties"] = draw(of[rest])
    return {**schema, **draw(_some(maxProperties=st.integers(0, 3)))}


@st.composite
def _unions(draw: Draw, depth: int) -> Schema:
    word = draw(st.sampled_from(["anyOf", "anyOf", "oneOf"]))
    return {word: [draw(schemas(depth)), draw(schemas(depth))]}


def value_of(draw: Draw, schema: Any, document: Schema, depth: int = 3) -> Any:
    """A value that fits, as far as that is easy; an object has no fields that are ignored."""
    if isinstance(schema, dict) and "$ref" in schema:
        schema = document["$defs"]["node"]
    if schema in (True, {}) or isinstance(schema, bool) or depth < 0:
        return draw(st.sampled_from([None, "x", 1, 0.5, [], {}, {"z": 1}, [1]]))
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return value_of(draw, draw(st.sampled_from(schema[word])), document, depth)
    if "enum" in schema or "const" in schema:
        return draw(st.sampled_from(schema.get("enum") or [schema.get("const")]))
    kind = schema.get("type", "object")
    kind = draw(st.sampled_from(kind)) if isinstance(kind, list) else kind
    return _of_kind(draw, kind, schema, document, depth)


def _of_kind(draw: Draw, kind: str, schema: Schema, document: Schema, depth: int) -> Any:
    match kind:
        case "string":
            return draw(st.sampled_from(TEXTS))
        case "integer" | "number":
            whole = st.sampled_from([n for n in NUMBERS if kind == "number" or isinstance(n, int)])
            return draw(whole)
        case "boolean":
            return draw(st.booleans())
        case "null":
            return None
        case "array":
            size = draw(st.integers(0, 2))
            first = schema.get("prefixItems", [])
            items = [first[n] if n < len(first) else schema.get("items", {}) for n in range(size)]
            return [value_of(draw, one, document, depth - 1) for one in items]
    return _object(draw, schema, document, depth)


def _object(draw: Draw, schema: Schema, document: Schema, depth: int) -> dict[str, Any]:
    named = {
        name: value_of(draw, one, document, depth - 1)
        for name, one in schema.get("properties", {}).items()
        if name in schema.get("required", ()) or draw(st.booleans())
    }
    rest = schema.get("additionalProperties", "properties" not in schema)
    free = [name for name in (*NAMES, "z") if name not in schema.get("properties", {})]
    if rest is not False and draw(st.booleans()):
        name = draw(st.sampled_from(free))
        named[name] = value_of(draw, rest, document, depth - 1)
    return named


def changed(draw: Draw, document: Schema) -> Schema:
    """The document with one or two changes somewhere in it."""
    made = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 2))):
        schema = draw(st.sampled_from(list(within(made))))
        change = draw(st.sampled_from([_drop, _replace, _put]))
        change(draw, schema)
    return made


def within(schema: Any) -> Iterator[Schema]:
    """Every schema in the schema, itself first."""
    yield schema
    children = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    for word in ("anyOf", "oneOf", "prefixItems"):
        children += schema.get(word, [])
    children += [schema.get("items"), schema.get("additionalProperties")]
    for child in children:
        if isinstance(child, dict):
            yield from within(child)


def _drop(draw: Draw, schema: Schema) -> None:
    words = [word for word in schema if word not in ("$ref", "$defs")]
    if words:
        del schema[draw(st.sampled_from(words))]


def _replace(draw: Draw, schema: Schema) -> None:
    definitions = schema.get("$defs")
    new = draw(schemas(1))
    schema.clear()
    schema.update(copy.deepcopy(new))
    if definitions is not None:
        schema["$defs"] = definitions


def _put(draw: Draw, schema: Schema) -> None:
    name = draw(st.sampled_from(NAMES))
    change: Schema = draw(
        st.sampled_from([
            {"maxLength": 1}, {"maxLength": 100}, {"minLength": 1}, {"minimum": -10},
            {"minimum": 1}, {"exclusiveMaximum": 9}, {"multipleOf": 2}, {"uniqueItems": True},
            {"maxItems": 2}, {"required": [name]}, {"additionalProperties": False},
            {"additionalProperties": True}, {"properties": {name: {"type": "string"}}},
            {"type": "string"}, {"type": ["number", "null"]}, {"enum": ["x", 1, None]},
            {"format": "date"}, {"pattern": "^x"}, {"maxProperties": 1}, {"minProperties": 1},
        ])
    )  # fmt: skip
    schema.update(copy.deepcopy(change))
