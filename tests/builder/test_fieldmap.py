"""Field maps, `{"pet_id": "uuid"}`: what each type means, and what is none."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.support.anything import TEXT
from worker.builder.fieldmap import schema_of
from worker.builder.order import OrderRefused

STRING = {"type": "string"}
TYPES: list[tuple[Any, Any]] = [
    ("uuid", {"type": "string", "format": "uuid"}),
    ("string", STRING), ("str", STRING), ("text", STRING), (" Text ", STRING),
    ("int", {"type": "integer"}), ("integer", {"type": "integer"}),
    ("number", {"type": "number"}), ("float > 0", {"type": "number", "exclusiveMinimum": 0}),
    ("float<-0.5", {"type": "number", "exclusiveMaximum": -0.5}),
    ("int >= 1 <= 10", {"type": "integer", "minimum": 1, "maximum": 10}),
    ("decimal", {"type": "number", "format": "decimal"}),
    ("string <= 200", {"type": "string", "maxLength": 200}),
    ("boolean", {"type": "boolean"}), ("bool", {"type": "boolean"}),
    ("date", {"type": "string", "format": "date"}),
    ("datetime", {"type": "string", "format": "date-time"}),
    ("timestamp", {"type": "string", "format": "date-time"}),
    ("time", {"type": "string", "format": "time"}),
    ("email", {"type": "string", "format": "email"}),
    ("url", {"type": "string", "format": "uri"}),
    ("any", {}), ("list", {"type": "array"}), ("object", {"type": "object"}),
    ("list[int > 0]", {"type": "array", "items": {"type": "integer", "exclusiveMinimum": 0}}),
    ("int[]", {"type": "array", "items": {"type": "integer"}}),
    ("list[str] >= 1", {"type": "array", "items": STRING, "minItems": 1}),
    ("list[list[str]]", {"type": "array", "items": {"type": "array", "items": STRING}}),
    (["str"], {"type": "array", "items": STRING}),
    ("one of a, b c", {"enum": ["a", "b c"]}), ("cat | dog", {"enum": ["cat", "dog"]}),
    ("one of 1, 2", {"enum": [1, 2]}), ("'cat' | \"dog\"", {"enum": ["cat", "dog"]}),
    ("int | null", {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
    ("int|str <= 3", {"anyOf": [{"type": "integer"}, {"type": "string", "maxLength": 3}]}),
    ("list[cat | dog]", {"type": "array", "items": {"enum": ["cat", "dog"]}}),
]  # fmt: skip


@pytest.mark.parametrize(("said", "wanted"), TYPES)
def test_a_type_means(said: Any, wanted: Any) -> None:
    schema = schema_of({"field": said}, "requirements")
    assert schema["properties"] == {"field": wanted}
    assert schema["required"] == ["field"]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("fields", [{"notes": "string?"}, {"notes": "string ?"}, {"notes?": "str"}])
def test_a_question_mark_means_that_it_may_be_left_out(fields: dict[str, Any]) -> None:
    schema = schema_of(fields, "requirements")
    assert schema["properties"] == {"notes": STRING}
    assert schema["required"] == []


def test_a_map_in_a_map_is_an_object() -> None:
    schema = schema_of({"owner": {"name": "str"}, "pets?": [{"id": "int"}]}, "requirements")
    assert schema["required"] == ["owner"]
    assert schema["properties"]["owner"] == schema_of({"name": "str"}, "")
    assert schema["properties"]["pets"]["items"] == schema_of({"id": "int"}, "")


@pytest.mark.parametrize(
    "said",
    ["", "?", "flaot", "float > ", "float > x", "float = 3", "string > 3", "string >= 1.5",
     "date > 3", "int > 1 > 2", "bool <= 1", "list[", "list[]x", "[]", "one of ", "one of a,,b",
     "a | a", "a | ", "cat | int", "uuid <= 3", "list[nothing]", "string >= -1", "int > 1e3",
     "int; import os", "a" * 3000, "list[" * 900 + "int" + "]" * 900, "int" + "[]" * 900,
     3, 1.5, True, None, [], ["int", "str"], {}, {"a": "flaot"}, [{"a": 1}]],
)  # fmt: skip
def test_what_is_no_type_is_refused_with_its_path_and_without_its_value(said: Any) -> None:
    with pytest.raises(OrderRefused) as refused:
        schema_of({"weight_kg": said}, "requirements")
    sentence = str(refused.value)
    assert sentence.startswith("requirements.weight_kg")
    assert "flaot" not in sentence
    assert "import os" not in sentence


def test_a_name_that_is_there_twice_is_refused() -> None:
    with pytest.raises(OrderRefused, match=re.escape("requirements.a?: the name is")):
        schema_of({"a": "int", "a?": "int"}, "requirements")


WORDS = st.sampled_from(
    ["int", "str", "list[", "]", "[]", "|", ">", "<=", "5", "-1.5", "?", "one of", ",", " ", "uuid"]
)
SAID = TEXT | st.lists(WORDS, max_size=7).map("".join) | st.lists(WORDS, max_size=7).map(" ".join)
FIELDS = st.recursive(
    SAID | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(TEXT, FIELDS, max_size=4))
def test_any_map_is_a_json_schema_or_refused(fields: dict[str, Any]) -> None:
    try:
        schema = schema_of(fields, "requirements")
    except OrderRefused as refused:
        sentence = str(refused)
    else:
        Draft202012Validator.check_schema(schema)
        sentence = ""
    assert sentence.isprintable()
