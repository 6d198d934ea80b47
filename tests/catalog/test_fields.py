"""The fields of a schema as rows, and what is asked of them in words."""

from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, JsonValue, TypeAdapter

from tests.catalog.zoo import ZOO, Hostile, Kind, Node, Pet, Visit
from worker.catalog.described import describe
from worker.catalog.fields import Row, rows_of
from worker.catalog.words import limits_of, type_of
from worker.feature import Feature


def test_fields_inside_of_fields_have_rows_of_their_own() -> None:
    rows = {row.path: row for row in rows_of(Pet.model_json_schema())}
    assert list(rows) == [
        "pet_id", "kind", "name", "nick", "visits", "visits[].day", "visits[].weight_kg", "marks",
    ]  # fmt: skip
    assert rows["pet_id"] == Row("pet_id", "string (uuid)", "yes", "", "")
    assert rows["kind"] == Row("kind", "string", "yes", 'one of "cat", "dog"', "cat or dog")
    assert rows["name"].limits == "1 to 40 characters, matches ^[A-Z]"
    assert (rows["nick"].type, rows["nick"].limits) == ("string or null", 'one of "Rex", "Mia"')
    assert (rows["visits"].type, rows["visits"].needed) == ("list of Visit", "no, default []")
    assert rows["visits[].day"].needed == "yes"
    assert rows["visits[].weight_kg"].limits == "above 0 and at most 200"
    assert rows["marks"].type == "map of integer"


class Cat(BaseModel):
    lives: int


class Dog(BaseModel):
    tricks: list[str]


class Zoo(BaseModel):
    one: Cat | Dog
    by_name: dict[str, Cat]
    kinds: list[Kind]
    inside: Visit | None = None
    anything: JsonValue = None


def test_alternatives_maps_and_lists_are_gone_into() -> None:
    rows = {row.path: row for row in rows_of(Zoo.model_json_schema())}
    assert list(rows) == [
        "one", "one (Cat).lives", "one (Dog).tricks", "by_name", "by_name.*.lives", "kinds",
        "inside", "inside.day", "inside.weight_kg", "anything",
    ]  # fmt: skip
    assert rows["one"].type == "Cat or Dog"
    assert (rows["kinds"].type, rows["kinds"].limits) == (
        "list of string",
        'each one of "cat", "dog"',
    )
    assert rows["inside"].type == "Visit or null"
    assert rows["anything"].type == "any JSON"


def test_a_model_that_holds_itself_ends() -> None:
    assert [row.path for row in rows_of(Node.model_json_schema())] == ["label", "parts"]


def test_what_may_be_missing_as_a_whole_shows_its_fields() -> None:
    schema = TypeAdapter(Cat | None).json_schema()
    assert [row.path for row in rows_of(schema)] == ["lives"]


def test_what_is_no_object_is_one_row_and_nothing_is_none() -> None:
    assert rows_of({"type": "string"}) == [Row("", "string", "no", "", "")]
    assert rows_of(None) == rows_of({"type": "object", "properties": {}}) == []


def test_names_and_texts_of_others_are_kept_as_they_are() -> None:
    rows = rows_of(Hostile.model_json_schema())
    assert rows[0].path == "\"><script>alert(1)</script> | '"
    assert "\u202e" in rows[0].meaning


def test_a_table_ends_and_says_so() -> None:
    many = {"type": "object", "properties": {f"f{n}": {"type": "null"} for n in range(201)}}
    rows = rows_of(many)
    assert (len(rows), rows[-1].path) == (201, "…")
    del many["properties"]["f200"]  # type: ignore[attr-defined]
    assert rows_of(many)[-1].path == "f199"


def test_schemas_that_share_their_parts_a_thousand_times_do_not_take_for_ever() -> None:
    levels = {
        f"L{n}": {"properties": {side: {"$ref": f"#/$defs/L{n + 1}"} for side in "ab"}}
        for n in range(40)
    }
    assert len(rows_of({"$ref": "#/$defs/L0", "$defs": levels})) <= 201
    for n, level in enumerate(levels.values()):
        level.clear()
        level["anyOf"] = [{"$ref": f"#/$defs/L{n + 1}"}] * 2  # type: ignore[assignment]
    assert len(rows_of({"$ref": "#/$defs/L0", "$defs": levels})) <= 201


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ({"minimum": 1, "maximum": 8, "multipleOf": 2}, "from 1 to 8, a multiple of 2"),
        ({"minimum": 1}, "at least 1"),
        ({"exclusiveMinimum": 0, "exclusiveMaximum": 5.5}, "above 0 and below 5.5"),
        ({"minLength": 1}, "at least 1 character"),
        ({"maxLength": 2}, "at most 2 characters"),
        ({"minItems": 3, "maxItems": 3, "uniqueItems": True}, "exactly 3 items, no item twice"),
        ({"const": "x"}, 'always "x"'),
        ({"enum": [1, "a"]}, 'one of 1, "a"'),
        ({"enum": list(range(14))}, "one of 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"),
        ({"type": "array", "items": {"maxLength": 2}}, "each at most 2 characters"),
        ({"maxProperties": 1}, "at most 1 field"),
        ({"anyOf": [{"minimum": 1}, {"maxLength": 2}]}, "at least 1 or at most 2 characters"),
        ({"items": True}, ""),
        ({}, ""),
    ],
    ids=repr,
)
def test_limits_are_said_in_words(field: dict[str, Any], words: str) -> None:
    assert limits_of(field) == words


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int, "integer"),
        (float | None, "number or null"),
        (Literal["a", 1], "string or integer"),
        (list[list[int]], "list of list of integer"),
        (list[Any], "list"),
        (dict[str, Any], "object"),
        (Any, "any JSON"),
    ],
)
def test_types_are_said_in_words(kind: Any, words: str) -> None:
    assert type_of(TypeAdapter(kind).json_schema()) == words


def test_a_type_may_be_a_list_of_types() -> None:
    assert type_of({"type": ["string", "null"]}) == "string or null"


@pytest.mark.parametrize("one", ZOO, ids=lambda one: one.name)
def test_every_field_of_a_feature_has_a_row(one: Feature[Any]) -> None:
    described = describe(one)
    named = {row.path for row in rows_of(described.requirements)}
    assert set((described.requirements or {}).get("properties", {})) <= named


class Loop(BaseModel):
    again: "Loop | None" = Field(None)
    more: dict[str, "Loop"] = Field({})


def test_loops_through_maps_and_alternatives_end() -> None:
    assert [row.path for row in rows_of(Loop.model_json_schema())] == ["again", "more"]
