"""A schema becomes a form, and what the form says is what the worker's model takes."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, create_model

from worker import Requirements
from worker.local.page.formfield import Field as FormField
from worker.local.page.formfield import flat
from worker.local.page.formvalues import USE, value_of, values_of
from worker.local.page.schemaform import form_of


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Size(BaseModel):
    width: int = Field(gt=0, le=8192, description="pixels")
    height: int | None = None


class Deep(BaseModel):
    size: Size
    note: str = "none"


def field(requirements: type[BaseModel], name: str) -> FormField:
    """The field of one property."""
    root = form_of(requirements.model_json_schema())
    assert root is not None
    (found,) = [one for one in root.fields if one.label == name]
    return found


def model(kind: Any, default: Any = ...) -> type[Requirements]:
    return create_model("Model", __base__=Requirements, it=(kind, default))


# A type of a property, and what it may hold. Text of one line: a control cannot hold a lone CR.
_line = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
_word = _line.filter(str.strip)
_sizes: st.SearchStrategy[Any] = st.builds(
    Size, width=st.integers(1, 8192), height=st.none() | st.integers()
)
_KINDS: Mapping[Any, st.SearchStrategy[Any]] = {
    str: _line,
    Annotated[str, Field(max_length=300, min_length=1)]: _line.filter(bool),
    int: st.integers(),
    Annotated[int, Field(ge=0, lt=100, multiple_of=5)]: st.integers(0, 19).map(lambda n: n * 5),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    date: st.dates(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    UUID: st.uuids(),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=3),
    Colour: st.sampled_from(Colour),
    Level: st.sampled_from(Level),
    Literal["a", "b", "c", "d", "e"]: st.sampled_from("abcde"),
    Literal["only"]: st.just("only"),
    list[str]: st.lists(_word, max_size=4),
    list[int]: st.lists(st.integers(), max_size=4),
    list[bool]: st.lists(st.booleans(), max_size=4),
    list[Colour]: st.lists(st.sampled_from(Colour), max_size=4),
    list[Size]: st.lists(_sizes, max_size=2),
    dict[str, int]: st.dictionaries(_line, st.integers(), max_size=3),
    tuple[int, str]: st.tuples(st.integers(), _line),
    int | str: st.integers() | _line,
    Size: _sizes,
    Deep: st.builds(Deep, size=_sizes, note=_line),
    Any: st.none() | st.integers() | st.lists(_line, max_size=2),
}
_SAYS_NOTHING: tuple[Any, ...] = ("", [])  # an empty control of what may be None means None


@st.composite
def properties(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    """A type, its default (... for none), and a value of it."""
    kind = draw(st.sampled_from(list(_KINDS)))
    value = draw(_KINDS[kind])
    if kind is Any:
        return kind, ..., value
    shape = draw(st.sampled_from(["required", "default", "optional", "nullable"]))
    if shape == "required":
        return kind, ..., value
    if shape == "default":
        return kind, draw(_KINDS[kind]), value
    value = None if value in _SAYS_NOTHING else draw(st.none() | st.just(value))
    return kind | None, ... if shape == "nullable" else None, value


_names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@st.composite
def requirements(draw: st.DrawFn) -> Requirements:
    """An instance of a model that was made up."""
    parts = draw(st.lists(properties(), min_size=1, max_size=4))
    aliases = draw(st.lists(_names, min_size=len(parts), max_size=len(parts), unique=True))
    fields: dict[str, Any] = {}
    for number, ((kind, default, _), alias) in enumerate(zip(parts, aliases, strict=True)):
        fields[f"field_{number}"] = (kind, Field(default, alias=alias))
    made = create_model("Made", __base__=Requirements, **fields)
    values = {alias: value for alias, (_, _, value) in zip(aliases, parts, strict=True)}
    return made.model_validate(values)


def posted(values: Mapping[str, str]) -> dict[str, str]:
    """As a browser sends it: lines end in CR LF, an empty box is not sent."""
    return {name: text.replace("\n", "\r\n") for name, text in values.items()}


@given(requirements())
def test_what_a_form_shows_of_a_value_makes_the_same_value(wanted: Requirements) -> None:
    value = wanted.model_dump(mode="json", by_alias=True)
    root = form_of(type(wanted).model_json_schema())
    assert root is not None
    made = value_of(root, posted(values_of(root, value)))
    assert made.problems == {}
    again = type(wanted).model_validate_json(json.dumps(made.value))
    assert again.model_dump(mode="json") == wanted.model_dump(mode="json")


@given(requirements())
def test_a_form_as_it_is_opened_means_the_defaults(wanted: Requirements) -> None:
    """Those of what may be left out; what is required has none."""
    root = form_of(type(wanted).model_json_schema())
    assert root is not None
    required = [one.label for one in root.fields if one.required]
    given = {name: wanted.model_dump(mode="json", by_alias=True)[name] for name in required}
    made = value_of(root, values_of(root)).value
    optional = {name: value for name, value in made.items() if name not in required}
    defaults = type(wanted).model_validate_json(json.dumps(given))
    assert type(wanted).model_validate_json(json.dumps({**optional, **given})) == defaults


@given(requirements(), st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3))
def test_any_text_in_any_control_makes_json_or_a_problem(
    wanted: Requirements, others: dict[str, str]
) -> None:
    root = form_of(type(wanted).model_json_schema())
    assert root is not None
    for text in ("", "\0", "9" * 5000, "[" * 100_000, "NaN", '"\\ud800"', "1e999", "-", "\ud7ff"):
        values = {one.name: text for one in flat(root)} | others
        values |= {USE + one.name: "on" for one in flat(root)}
        made = value_of(root, values)
        json.dumps(made.value, allow_nan=False)
        assert made.problems.keys() <= {one.name for one in flat(root)}


_anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
)


@given(st.dictionaries(_names, properties(), min_size=1, max_size=4), _anything)
def test_an_example_that_does_not_fit_its_schema_is_no_error(
    parts: dict[str, tuple[Any, Any, Any]], example: Any
) -> None:
    fields: dict[str, Any] = {
        f"field_{number}": (kind, Field(default, alias=alias))
        for number, (alias, (kind, default, _)) in enumerate(parts.items())
    }
    root = form_of(create_model("Made", __base__=Requirements, **fields).model_json_schema())
    assert root is not None
    both = values_of(root, example) | values_of(root, dict.fromkeys(parts, example))
    assert all(isinstance(text, str) for text in both.values())


@given(st.lists(_names, min_size=1, max_size=6, unique=True))
def test_every_property_has_an_id_of_its_own_without_spaces(names: list[str]) -> None:
    schema = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    root = form_of(schema)
    ids = [one.id for one in flat(root)]
    assert len(set(ids)) == len(set(names))
    assert all(one.isascii() and one.replace("-", "").isalnum() for one in ids)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (str, "area"),
        (Annotated[str, Field(max_length=80)], "text"),
        (Annotated[str, Field(pattern="^a")], "text"),
        (date, "text"),
        (int, "whole"),
        (float, "number"),
        (bool, "check"),
        (bool | None, "choice"),
        (Colour, "choice"),
        (Literal["only"], "fixed"),
        (Literal["only"] | None, "choice"),
        (list[str], "lines"),
        (list[Size], "json"),
        (list[int | None], "json"),
        (dict[str, int], "json"),
        (int | str, "json"),
        (Size, "group"),
        (Size | None, "group"),
        (Decimal, "json"),
    ],
)
def test_a_type_has_its_control(kind: Any, wanted: str) -> None:
    assert field(model(kind), "it").kind == wanted


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (Annotated[int, Field(ge=1, le=8192)], "whole number: from 1 to 8192"),
        (Annotated[int, Field(gt=0)], "whole number: above 0"),
        (
            Annotated[float, Field(ge=0, lt=1, multiple_of=0.25)],
            "number: at least 0 and below 1, a multiple of 0.25",
        ),
        (Annotated[str, Field(max_length=200)], "text: at most 200 characters"),
        (Annotated[str, Field(min_length=1, max_length=1)], "text: exactly 1 character"),
        (
            Annotated[str, Field(min_length=2, pattern="^a")],
            "text: at least 2 characters, matches ^a",
        ),
        (datetime, "date and time: "),
        (Colour, 'choice: one of "red", "green"'),
        (set[str], "list of text: no item twice"),
        (
            Annotated[list[Level], Field(max_length=3)],
            "list of choices: at most 3 items, each one of 1, 2",
        ),
        (Literal["only"], 'fixed: always "only"'),
        (list[Size], "list: "),
        (int | str, "whole number or text: "),
        (Decimal | None, "number or text: "),
        (Any, "JSON: "),
    ],
)  # fmt: skip
def test_a_schema_is_told_in_words(kind: Any, words: str) -> None:
    found = field(model(kind), "it")
    assert f"{found.type}: {found.limits}" == words


def test_what_is_required_and_left_empty_is_missing_where_no_empty_text_fits() -> None:
    for kind, wanted in ((date, {}), (Annotated[str, Field(min_length=1)], {}), (str, {"it": ""})):
        root = form_of(model(kind).model_json_schema())
        assert root is not None
        assert value_of(root, {}).value == wanted


def test_a_group_that_may_be_left_out_has_a_switch() -> None:
    root = form_of(model(Size | None, None).model_json_schema())
    assert root is not None
    width = {"requirements/it/width": "5"}
    assert value_of(root, width).value == {}
    assert value_of(root, {**width, USE + "requirements/it": "on"}).value == {"it": {"width": 5}}


def test_a_model_within_itself_is_json_text_with_its_definitions() -> None:
    class Tree(Requirements):
        name: str
        inner: "Tree | None" = None

    found = [one for one in flat(form_of(Tree.model_json_schema())) if one.kind == "json"]
    assert found, "the recursion ends in a field for text"
    assert "$defs" in found[0].json_schema


def test_text_that_is_no_json_is_a_problem_with_its_place() -> None:
    root = form_of(model(dict[str, int]).model_json_schema())
    assert root is not None
    made = value_of(root, {"requirements/it": '{"a":\n 1,,}'})
    assert made.problems["requirements/it"].startswith("this is no JSON: ")
    assert made.problems["requirements/it"].endswith("at line 2, column 4")
    assert made.value == {}


def test_a_text_that_is_no_number_is_handed_on_for_the_worker_to_refuse() -> None:
    root = form_of(model(int).model_json_schema())
    assert root is not None
    assert value_of(root, {"requirements/it": "many"}).value == {"it": "many"}


def test_requirements_that_are_text_have_one_field() -> None:
    root = form_of({"type": "string"})
    assert root is not None
    assert [one.label for one in flat(root)] == ["requirements"]
    assert value_of(root, {"requirements": "hello"}).value == "hello"


def test_a_feature_without_requirements_has_no_form() -> None:
    assert form_of(None) is None
    assert list(flat(None)) == []
