"""A pydantic error as a sentence: it names fields and never repeats what they hold."""

from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from worker.explain import explain, shorten

MARKER = "zq7marker"


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Order(BaseModel):
    model_config = ConfigDict(extra="forbid")

    width: int
    ids: list[UUID] = []
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    sizes: dict[str, int] = {}


def explained(value: Any, where: str = "") -> str:
    with pytest.raises(ValidationError) as caught:
        Order.model_validate(value)
    return explain(caught.value, where)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({}, "width: missing"),
        ({"width": 1, "widht": MARKER}, "widht: unknown field"),
        ({"width": 1, "ids": [MARKER]}, "ids.0: should be a UUID"),
        ({"width": 1, "pet": {"kind": MARKER}}, "pet: the tag is none of the expected ones"),
        ({"width": 1, "sizes": {"a": MARKER}}, "sizes.a: Input should be a valid integer"),
    ],
)
def test_a_problem_is_named_without_its_value(value: Any, sentence: str) -> None:
    said = explained(value)
    assert said.startswith(sentence)
    assert MARKER not in said


def test_the_place_of_the_model_stands_before_the_field() -> None:
    assert explained({}, "requirements") == "requirements.width: missing"
    assert explained([], "requirements").startswith("requirements: ")


def test_several_problems_are_one_sentence() -> None:
    assert explained({"nme": 1}) == "width: missing; nme: unknown field"


@pytest.mark.parametrize(("unknown", "end"), [(5, "n4: unknown field"), (6, "and 1 more")])
def test_at_most_five_problems_are_named_and_the_rest_is_counted(unknown: int, end: str) -> None:
    said = explained({"width": 1, **{f"n{i}": 0 for i in range(unknown)}})
    assert said.endswith(end)
    assert said.count("unknown field") == 5


def test_a_name_as_long_as_the_payload_is_cut() -> None:
    said = explained({"width": 1, "n" * 1_000_000: 0})
    assert said == "n" * 60 + "…: unknown field"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a" * 60, "a" * 60),
        ("a" * 61, "a" * 60 + "…"),
        ("a\nb\x1b[31m\u2028\u202ec", "a�b�[31m��c"),
        ("größe 😀", "größe 😀"),
        ("\ud800", "�"),
    ],
)
def test_a_name_is_cut_and_cannot_break_a_line_or_a_terminal(name: str, shown: str) -> None:
    assert shorten(name) == shown


@given(st.text(st.characters()), st.integers(0, 80))
def test_a_shortened_name_is_printable_and_short(name: str, limit: int) -> None:
    shown = shorten(name, limit)
    assert shown.isprintable()
    assert len(shown) <= limit + 1
