"""Examples of JSON Schemas: they fit, they are the same each time, or there is clearly none."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field, create_model
from pydantic_core import SchemaValidator, core_schema

from tests.support.anything import JSON
from worker import Requirements
from worker.example import NoExample, example_of


class Owner(BaseModel):
    name: str = Field(examples=["Ada"])
    email: str | None = None


class Visit(BaseModel):
    pet_id: str = Field(pattern="^[A-Z]{2}-[0-9]{3,5}$")
    owner: Owner
    weight_kg: float = Field(gt=0)
    tags: list[str] = []
    note: str | None = Field(None, examples=["limps"])
    kind: str = "cat"


def test_a_pydantic_model_takes_its_example() -> None:
    example = example_of(Visit.model_json_schema())
    assert example == {
        "pet_id": "AA-000",
        "owner": {"name": "Ada"},
        "weight_kg": 1,
        "tags": [],
        "note": "limps",
        "kind": "cat",
    }
    Visit.model_validate(example)


SCHEMAS: list[tuple[Any, Any]] = [
    (True, "text"),
    ({"examples": [3], "default": 4}, 3),
    ({"default": 4, "const": 4}, 4),
    ({"const": None}, None),
    ({"enum": [None, "b", "c"]}, "b"),
    ({"type": "boolean"}, True),
    ({"type": ["null", "integer"], "minimum": 3}, 3),
    ({"type": "integer", "exclusiveMinimum": 0, "multipleOf": 5}, 5),
    ({"type": "integer", "maximum": -7}, -7),
    ({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 0.5}, 0.25),
    ({"type": "string", "minLength": 6}, "textxx"),
    ({"type": "string", "maxLength": 2}, "te"),
    ({"type": "string", "pattern": r"^\S+@\S+$", "minLength": 9}, "aaaaa@aaaaa"),
    ({"type": "string", "pattern": "^(cat|dog)-[^0-9]$"}, "cat-a"),
    ({"type": "string", "format": "date"}, "2026-01-31"),
    (
        {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
        [1, 2, 3],
    ),
    (
        {"type": "array", "items": {"enum": ["a", "b"]}, "minItems": 2, "uniqueItems": True},
        ["a", "b"],
    ),
    ({"type": "array", "prefixItems": [{"const": 1}, {"const": "b"}], "items": False}, [1, "b"]),
    ({"type": "array", "maxItems": 0}, []),
    ({"anyOf": [{"type": "null"}, {"type": "integer"}]}, 1),
    ({"oneOf": [{"type": "string", "minLength": 10**9}, {"type": "integer"}]}, 1),
    ({"allOf": [{"type": "string"}, {"maxLength": 3}, {"minLength": 3}]}, "tex"),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, {}),
    ({"required": ["a"], "properties": {"b": {"type": "string"}}}, {"a": "text"}),
    ({"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"const": 7}}}, 7),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "wanted"), SCHEMAS)
def test_the_example_is_as_simple_as_it_can_be(schema: Any, wanted: Any) -> None:
    assert example_of(schema) == wanted
    Draft202012Validator(schema).validate(wanted)


NODE: dict[str, Any] = {"type": "object", "properties": {"next": {"$ref": "#/$defs/Node"}}}
BOMB: dict[str, Any] = {
    f"L{at}": {"type": "array", "minItems": 10, "items": {"$ref": f"#/$defs/L{at + 1}"}}
    for at in range(20)
} | {"L20": {"type": "string"}}
PATTERNS = st.from_regex(
    r"\^?(\[[a-z0-9-]{1,6}\]|[a-zA-Z.]|\\[dwsS]|\([a-z]\|[0-9]\))[+*?]?(\{2,3\})?x?\$?",
    fullmatch=True,
)


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"type": "integer", "minimum": 1.2, "maximum": 1.8},
        {"type": "string", "minLength": 3, "maxLength": 2},
        {"type": "string", "minLength": 10**12},
        {"type": "string", "pattern": "(?=a)b"},
        {"type": "string", "pattern": "^a$", "minLength": 2},
        {"type": "array", "minItems": 10**12},
        {"type": "array", "items": {"const": 1}, "uniqueItems": True, "minItems": 2},
        {"$ref": "#/$defs/Nowhere"},
        {"$ref": "https://example.com/schema"},
        {"$ref": "#/$defs/Node", "$defs": {"Node": {**NODE, "required": ["next"]}}},
        {"$ref": "#/$defs/A", "$defs": {"A": {"allOf": [{"$ref": "#/$defs/A"}]}}},
        {"$ref": "#/$defs/L0", "$defs": BOMB},
        {"anyOf": [False]},
    ],
)
def test_what_nothing_fits_has_no_example(schema: Any) -> None:
    with pytest.raises(NoExample):
        example_of(schema)


def test_no_example_says_where() -> None:
    schema = {"properties": {"owner": {"properties": {"age": False}, "required": ["age"]}},
              "required": ["owner"]}  # fmt: skip
    with pytest.raises(NoExample) as missing:
        example_of(schema)
    assert missing.value.where == "owner.age"


def test_a_recursive_schema_has_the_smallest_example() -> None:
    tree = {"properties": {"children": {"type": "array", "items": {"$ref": "#"}}},
            "required": ["children"]}  # fmt: skip
    assert example_of(tree) == {"children": []}
    assert example_of({"$ref": "#/$defs/Node"}, root={"$defs": {"Node": NODE}}) == {}


def test_deep_nesting_is_no_crash() -> None:
    schema: dict[str, Any] = {"type": "integer"}
    for _ in range(5000):
        schema = {"type": "array", "items": schema, "minItems": 1}
    with pytest.raises(NoExample):
        example_of(schema)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(PATTERNS)
def test_texts_match_their_pattern(pattern: str) -> None:
    try:
        text = example_of({"type": "string", "pattern": pattern})
    except NoExample:
        return
    SchemaValidator(core_schema.str_schema(pattern=pattern)).validate_python(text)


@settings(max_examples=100)
@given(JSON.filter(lambda value: isinstance(value, dict)))
def test_what_is_given_is_given_back(value: Any) -> None:
    assert example_of({"examples": [value]}) is value


_FIELDS: list[tuple[Any, Any]] = [
    (int, Field(gt=5, multiple_of=3)),
    (int, Field(ge=-7, multiple_of=2)),
    (int, Field(lt=0)),
    (float, Field(gt=0, le=1)),
    (bool, Field()),
    (str, Field(min_length=7, max_length=9)),
    (str, Field(examples=["abc"], pattern="^abc$")),
    (list[int], Field()),
    (dict[str, int], Field()),
    (int | None, Field(None)),
]


@given(st.lists(st.sampled_from(range(len(_FIELDS))), min_size=1, max_size=5, unique=True))
def test_any_pydantic_model_of_such_fields_takes_its_example(chosen: list[int]) -> None:
    fields: dict[str, Any] = {f"field_{number}": _FIELDS[number] for number in chosen}
    model = create_model("Model", __base__=Requirements, **fields)
    model.model_validate_json(json.dumps(example_of(model.model_json_schema())))
