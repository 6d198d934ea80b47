"""Requirements of all forms: read, with an example and with faults, or refused in one sentence."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.anything import JSON, TEXT
from worker.builder.conformity import validator_of
from worker.builder.order import OrderRefused
from worker.builder.wanted import Wanted, read_wanted


def properties(**schemas: Any) -> dict[str, Any]:
    """The schema of an object."""
    return {"type": "object", "properties": schemas}


@pytest.mark.parametrize("said", [None, "", "none", "None", " none ", {}])
def test_none_is_none_however_it_is_spelled(said: Any) -> None:
    assert read_wanted(said) == Wanted("none")


def test_a_text_is_a_sentence() -> None:
    assert read_wanted("weigh the dog") == Wanted("sentence", sentence="weigh the dog")


def test_a_field_map_and_its_schema_are_the_same() -> None:
    fields = read_wanted({"pet_id": "uuid", "weight_kg": "float > 0", "notes": "string?"})
    schema = read_wanted(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **properties(
                pet_id={"type": "string", "format": "uuid"},
                weight_kg={"type": "number", "exclusiveMinimum": 0},
                notes={"type": "string"},
            ),
            "required": ["pet_id", "weight_kg"],
        }
    )
    assert fields == schema
    assert fields.example == {"pet_id": "7f1d2c9e-4b3a-4c5d-8e9f-0a1b2c3d4e5f", "weight_kg": 1}
    assert [what for what, _ in fields.invalid] == [
        "unknown_field",
        "without_pet_id",
        "without_weight_kg",
        "wrong_type_of_pet_id",
        "malformed_pet_id",
        "wrong_type_of_weight_kg",
        "too_small_weight_kg",
        "wrong_type_of_notes",
    ]


@pytest.mark.parametrize(
    ("said", "form"),
    [
        ({"type": "string"}, "field map"),
        ({"properties": "int", "type": "string"}, "field map"),
        ({"type": "string", "title": "string"}, "field map"),
        ({"type": "object", "properties": {"type": {"type": "string"}}}, "schema"),
        ({"properties": {"type": {"type": "string"}}}, "schema"),
        ({"$ref": "#/$defs/Pet", "$defs": {"Pet": properties(type={"type": "string"})}}, "schema"),
        ({"allOf": [properties(type={"type": "string"})]}, "schema"),
    ],
)
def test_a_field_map_is_told_from_a_schema(said: Any, form: str) -> None:
    schema = read_wanted(said).schema
    assert schema is not None
    assert schema["properties"]["type"] == {"type": "string"}
    assert bool(schema["required"]) == (form == "field map")


TWO = {"type": "integer", "minimum": 2}
EQUAL: list[tuple[Any, Any]] = [
    ({"const": "a"}, {"enum": ["a"]}),
    ({"type": "string", "enum": ["a", 1, None]}, {"enum": ["a"]}),
    ({"type": ["integer", "null"], "minimum": 2}, {"anyOf": [TWO, {"type": "null"}]}),
    ({"minLength": 2}, {"type": "string", "minLength": 2}),
    ({"allOf": [{"type": "integer", "minimum": 1}, {"minimum": 2}]}, TWO),
    ({"allOf": [{"type": "number"}, {"type": "integer"}]}, {"type": "integer"}),
    ({"type": "integer", "minimum": 1.5, "maximum": 3.5}, TWO | {"maximum": 3}),
    ({"oneOf": [{"type": "string"}, {"type": "string"}]}, {"type": "string"}),
    ({"anyOf": [{"type": "string"}, True]}, {}),
    ({"type": "string", "format": "date", "maxLength": 3}, {"type": "string", "maxLength": 3}),
    ({"type": "string", "format": "made-up", "x-thing": 1, "$comment": "x"}, {"type": "string"}),
    ({"type": "string", "customTypePath": "os.system", "x-python-type": "os"}, {"type": "string"}),
    ({"type": "object"}, {"type": "object", "additionalProperties": True}),
    ({"$ref": "#/$defs/Weight"}, {"type": "number", "minimum": 0}),
    ({"$ref": "#/$defs/Weight", "maximum": 9}, {"type": "number", "minimum": 0, "maximum": 9}),
    ({"$ref": "#/$defs/Owner"}, {"$ref": "#/$defs/Owner"}),
    ({"type": "object", "properties": {"x": True}}, {"$ref": "#/$defs/Field"}),
    ({"$ref": "#"}, {"$ref": "#"}),
    (True, {}),
]  # fmt: skip


@pytest.mark.parametrize(("said", "read"), EQUAL)
def test_a_schema_is_read_into_the_form_that_models_are_made_of(said: Any, read: Any) -> None:
    definitions = {
        "Weight": {"type": "number", "minimum": 0},
        "Owner": properties(name={"type": "string"}, parent={"$ref": "#/$defs/Owner"}),
    }
    schema = read_wanted(properties(field=said) | {"$defs": definitions}).schema
    assert schema is not None
    assert schema["properties"] == {"field": read}


def test_an_object_in_a_field_map_is_no_schema() -> None:
    schema = read_wanted({"type": "object", "pet_id": "uuid"}).schema
    assert schema is not None
    assert schema["required"] == ["type", "pet_id"]
    empty = read_wanted({"type": "object", "title": "Nothing"}).schema
    assert empty is not None
    assert empty["properties"] == {}


def test_other_fields_are_refused_unless_the_schema_takes_them() -> None:
    assert read_wanted(properties(a=True)).invalid[0][0] == "unknown_field"
    free = read_wanted(properties(a=True) | {"additionalProperties": True})
    assert free.schema is not None
    assert free.schema["additionalProperties"] is True
    assert [what for what, _ in free.invalid] == []


def test_a_user_s_examples_and_defaults_are_used() -> None:
    wanted = read_wanted(
        properties(a={"type": "string", "examples": ["x"]}, b={"type": "integer", "default": 3})
    )
    assert wanted.example == {"a": "x", "b": 3}


def laughing(word: str) -> dict[str, Any]:
    """References that double at each level."""
    levels: dict[str, Any] = {
        f"L{at}": {word: [{"$ref": f"#/$defs/L{at + 1}"}, {"$ref": f"#/$defs/L{at + 1}"}]}
        for at in range(40)
    }
    return properties(a={"$ref": "#/$defs/L0"}) | {"$defs": {**levels, "L40": {"type": "string"}}}


def nested(levels: int) -> Any:
    """A list of lists of lists ..."""
    inner: Any = "x"
    for _ in range(levels):
        inner = [inner]
    return inner


MANY_LONG_TEXTS = {"minItems": 100, "items": {"minItems": 9, "items": {"minLength": 9_000}}}
REFUSED: list[tuple[Any, str]] = [
    (3, "requirements: want "),
    ([], "requirements: want "),
    (properties(a={"type": "strin"}), "requirements.properties.a.type: not what "),
    (properties(a="int"), "requirements.properties.a: not what "),
    (properties(a={"not": {}}), "requirements.a.not: this keyword"),
    (properties(a={"if": {}}), "requirements.a.if: this keyword"),
    (properties(a={"patternProperties": {}}), "requirements.a.patternProperties: "),
    (properties(a={"$ref": "https://example.com/x"}), "requirements.a.$ref: want one within"),
    (properties(a={"$ref": "file:///etc/passwd"}), "requirements.a.$ref: want one within"),
    (properties(a={"$ref": "#anchor"}), "requirements.a.$ref: want one within"),
    (properties(a={"$ref": "#/$defs/Nowhere"}), "requirements.a.$ref: there is no such"),
    (properties(a={"$dynamicRef": "#x"}), "requirements.a.$dynamicRef: "),
    (properties(a={"$id": "x", "type": "string"}), "requirements.a.$id: goes to the top"),
    ({"$schema": "http://json-schema.org/draft-04/schema#"}, "requirements.$schema: want "),
    ({"$ref": "#"}, "requirements.$ref: refers to itself"),
    ({"$defs": {}, "type": "array"}, "requirements: want the schema of one object"),
    ({"oneOf": [properties(a=True)]}, "requirements: want the schema of one object"),
    (properties(a={"$ref": "#/properties/a"}), "requirements.properties.a: refers to itself"),
    (properties(a={"$ref": "#"}) | {"required": ["a"]}, "requirements.a: nothing fits"),
    (properties(a=False) | {"required": ["a"]}, "requirements.a: takes no value"),
    (properties(a={"enum": [[1]]}), "requirements.a: want texts, whole numbers"),
    (properties(a={"enum": list(range(300))}), "requirements.a.enum: at most"),
    (properties(a={"type": "string", "pattern": "("}), "requirements.a.pattern: is no pattern"),
    (properties(a={"type": "string", "pattern": "(?=a)"}), "requirements.a.pattern: is no pattern"),
    (properties(a={"pattern": "(a{999}){999}"}), "requirements.a.pattern: is no pattern"),
    (properties(a={"pattern": "a" * 501}), "requirements.a.pattern: longer"),
    (properties(a={"pattern": "^(a+)+$", "examples": ["a" * 60 + "b"]}), "requirements.a: "),
    (properties(a={"format": "uuid", "examples": ["x"]}), "requirements.a: nothing fits"),
    (properties(a={"type": "integer", "default": "x"}), "requirements.a.default: does not fit"),
    (properties(a={"minLength": 10**6}), "requirements.a.minLength: at most"),
    (properties(a={"minItems": 10**6}), "requirements.a.minItems: at most"),
    (properties(a={"minimum": 10**60}), "requirements.properties.a.minimum: a number beyond"),
    (properties(a={"minimum": float("nan")}), "requirements.properties.a.minimum: a number beyond"),
    (properties(a={"items": {"uniqueItems": True}}), "requirements.a[].uniqueItems: want it at"),
    (properties(a={"anyOf": [{}], "oneOf": [{}]}), "requirements.a: anyOf beside oneOf"),
    (properties(a={"allOf": [{"const": 1}, {"const": 2}]}), "requirements.a.const: said twice"),
    (properties(a={"prefixItems": [{}]}), "requirements.a.prefixItems: want "),
    (properties(**{"x" * 101: True}), "requirements: a property's name is longer"),
    (properties(**{f"f{at}": True for at in range(301)}), "requirements: more than 300 properties"),
    (properties() | {"required": ["a"]}, "requirements.required: "),
    (properties(a=MANY_LONG_TEXTS) | {"required": ["a"]}, "requirements: the smallest example"),
    (laughing("anyOf"), "requirements.$defs.L"),
    (laughing("allOf"), "requirements.$defs.L"),
    ({"a": nested(100)}, "requirements.a.0.0"),
    ({"a": "x" * 70_000}, "requirements: too large"),
    ("\ud800", "requirements: a text with half"),
    ({"a\ud800": "int"}, "requirements: a name: a text with half"),
    ({"a\n\u202eb": "flaot"}, "requirements.a\ufffd\ufffdb: is no field type"),
]  # fmt: skip


@pytest.mark.parametrize(("said", "sentence"), REFUSED)
def test_what_cannot_be_built_is_refused_with_its_path(said: Any, sentence: str) -> None:
    with pytest.raises(OrderRefused) as refused:
        read_wanted(said)
    assert str(refused.value).startswith(sentence)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 500


WORDS = """
type properties required items enum const anyOf oneOf allOf $ref $defs minimum maximum minLength
pattern format default examples title additionalProperties minItems uniqueItems prefixItems not
"""
KEYWORDS = st.sampled_from(WORDS.split())
VALUES: st.SearchStrategy[Any] = st.sampled_from(
    ["object", "string", "integer", "array", "null", ["string", "null"], "date", "uuid", "#",
     "#/$defs/a", "#/properties/a", 0, 1, 3, True, False, None, "^a", ["a"], {}, []]
)  # fmt: skip
NEAR = st.recursive(
    VALUES | TEXT | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYWORDS | st.sampled_from("ab"), inner, max_size=4)
    ),
    max_leaves=14,
)
SCHEMAS = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abc"), NEAR)},
    optional={"$defs": st.dictionaries(st.sampled_from("ab"), NEAR), "required": st.just(["a"])},
)


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(SCHEMAS | NEAR | JSON | st.dictionaries(TEXT, NEAR))
def test_anything_is_read_or_refused_in_one_line(said: Any) -> None:
    try:
        wanted = read_wanted(said)
    except OrderRefused as refused:
        wanted, sentence = Wanted("none"), str(refused)
    else:
        sentence = ""
    assert sentence.isprintable()
    if wanted.schema is not None:
        json.dumps(wanted.schema, allow_nan=False)
        validator = validator_of(wanted.schema)
        validator.validate(wanted.example)
        assert not any(validator.is_valid(fault) for _, fault in wanted.invalid)
        assert all(what.isidentifier() for what, _ in wanted.invalid)
        assert len({what for what, _ in wanted.invalid}) == len(wanted.invalid)
