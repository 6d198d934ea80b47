"""A feature described: its schemas say what the worker takes, its examples are taken."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ConfigDict, Field, computed_field, field_validator

from handlers.smoke_test import smoke_test
from tests.catalog.zoo import ZOO, Answer, beat, hostile, maybe, pair, pet, say, tree
from tests.support.anything import JSON
from worker import Context, Requirements, feature
from worker.catalog.described import describe
from worker.feature import Feature, HandlersInvalid
from worker.message import Form, Message
from worker.outcome import BadPayload, UnknownFeature
from worker.registry import Features
from worker.testing import deliver

BY_NAME = {one.name: one for one in ZOO}


def is_taken(one: Feature[Any], payload: Any) -> bool:
    """Whether the worker takes the payload as one of this feature."""
    features = Features([one])
    try:
        read = features.read(Message("1", json.dumps(payload).encode(), {}, Form.WRAPPED))
        found, order = features.route(read)
        found.requirements_of(order)
    except (BadPayload, UnknownFeature):
        return False
    return True


def is_valid(one: Feature[Any], payload: Any) -> bool:
    schema = describe(one).payload
    checker = Draft202012Validator.FORMAT_CHECKER
    return bool(Draft202012Validator(schema, format_checker=checker).is_valid(payload))


@pytest.mark.parametrize("one", [*ZOO, smoke_test], ids=lambda one: one.name)
def test_examples_are_taken_by_the_schema_and_by_the_worker(one: Feature[Any]) -> None:
    described = describe(one)
    Draft202012Validator.check_schema(described.payload)
    assert described.examples
    for example in described.examples:
        assert is_valid(one, example), example
        assert is_taken(one, example), example


NOTHING = [{}, {"requirements": None}, {"requirements": "none"}, {"requirements": ""}]


@pytest.mark.parametrize("nothing", [*NOTHING, {"requirements": {}}], ids=repr)
@pytest.mark.parametrize("one", [*ZOO, smoke_test], ids=lambda one: one.name)
def test_the_schema_takes_every_spelling_of_none_where_the_worker_does(
    one: Feature[Any], nothing: dict[str, Any]
) -> None:
    payload = {"feature": one.name, **nothing}
    assert is_valid(one, payload) is is_taken(one, payload) is (one not in (pet, pair))


@pytest.mark.parametrize(
    ("one", "payload"),
    [
        (beat, {"feature": "tree"}),
        (beat, {"feature": "beat", "requirements": "some"}),
        (beat, {"feature": "beat", "requirements": {"a": 1}}),
        (beat, {"feature": "beat", "priority": 1}),
        (beat, {"feature": "beat", "description": None}),
        (beat, {}),
        (beat, []),
        (say, {"feature": "say", "requirements": 5}),
        (say, {"feature": "say", "requirements": {"a": 1}}),
        (maybe, {"feature": "maybe", "requirements": {"nonce": "longer"}}),
        (maybe, {"feature": "maybe", "requirements": {"other": 1}}),
        (maybe, {"feature": "maybe", "requirements": "text"}),
        (maybe, {"feature": "maybe", "requirements": []}),
        (pair, {"feature": "pair", "requirements": {"second": 1}}),
        (pair, {"feature": "pair", "requirements": {"first": 2}}),
        (tree, {"feature": "tree", "requirements": {"parts": [{"parts": [{"no": 1}]}]}}),
    ],
    ids=lambda part: part.name if isinstance(part, Feature) else repr(part),
)
def test_what_the_schema_refuses_the_worker_refuses(one: Feature[Any], payload: Any) -> None:
    assert not is_valid(one, payload)
    assert not is_taken(one, payload)


def is_plain(value: Any) -> bool:
    """Without what no schema can tell: infinity is no JSON, nor is half a surrogate pair.

    JSON Schema calls 1e19 an integer; for pydantic one beyond 64 bits has to be written as such.
    """
    if isinstance(value, dict):
        return all(map(is_plain, [*value, *value.values()]))
    if isinstance(value, list):
        return all(map(is_plain, value))
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= one <= "\udfff" for one in value)
    return not isinstance(value, float) or abs(value) < 2**63


VALUES: st.SearchStrategy[Any] = st.one_of(
    JSON.filter(is_plain),
    st.sampled_from(
        [3, 10, 1.0, 0.5, -1, 2**70, "Rex", "cat", "2026-01-31", "none", "Mia", [], {}, None, True]
    ),
    st.uuids().map(str),
    st.dates().map(str),
)
INSIDE = st.fixed_dictionaries({}, optional={"day": VALUES, "weight_kg": VALUES, "label": VALUES})


@st.composite
def payloads(draw: st.DrawFn, one: Feature[Any]) -> Any:
    """An example, with some of its fields replaced, left out or added."""
    payload = dict(draw(st.sampled_from(describe(one).examples)))
    wanted = payload["requirements"]
    fields = list((describe(one).requirements or {}).get("properties", {"parts": 1, "label": 1}))
    for _ in range(draw(st.integers(0, 2))):
        if isinstance(wanted, dict):
            value = draw(VALUES | INSIDE | st.lists(INSIDE, max_size=4))
            wanted = {**wanted, draw(st.sampled_from([*fields, "other"])): value}
            wanted.pop(draw(st.sampled_from(["nobody", *fields])), None)
        else:
            wanted = draw(VALUES)
    payload["requirements"] = wanted
    match draw(st.sampled_from(["keep", "keep", "keep", "drop", "replace"])):
        case "drop":
            payload.pop(draw(st.sampled_from(sorted(payload))))
        case "replace":
            payload[draw(st.sampled_from([*payload, "other"]))] = draw(VALUES)
    return payload


@pytest.mark.parametrize("name", BY_NAME)
@given(data=st.data())
@settings(max_examples=60)
def test_whatever_the_schema_takes_the_worker_takes(name: str, data: st.DataObject) -> None:
    one = BY_NAME[name]
    payload = data.draw(payloads(one))
    if is_valid(one, payload):
        assert is_taken(one, payload)


def test_a_description_says_everything_of_a_feature() -> None:
    found = describe(pair)
    assert (found.name, found.summary, found.about) == ("pair", *["Add two numbers."] * 2)
    assert found.place.endswith("zoo.pair")
    assert found.idempotent
    assert found.requirements_name == "Pair"
    assert found.requirements is not None
    assert found.requirements["required"] == ["first"]
    assert [one["requirements"] for one in found.examples] == [
        {"first": 3},
        {"first": 5, "second": 8},
    ]
    assert describe(pet).about == "Keep a pet.\n\nWith all of its visits."
    assert not describe(pet).idempotent


def test_names_and_schemas_of_what_takes_and_answers_nothing() -> None:
    nothing, text = describe(beat), describe(say)
    assert (nothing.requirements, nothing.requirements_name, nothing.result) == (None, None, None)
    assert text.requirements is not None
    assert (text.requirements["type"], text.requirements_name) == ("string", "str")
    assert text.result is not None
    assert text.result["properties"]["count"]["description"] == "how many"


def test_a_result_that_may_be_missing_is_one_of_two() -> None:
    result = describe(pair).result
    assert result is not None
    assert Draft202012Validator(result).is_valid(None)
    assert Draft202012Validator(result).is_valid(Answer(count=1).model_dump())


def test_an_example_with_all_that_may_be_left_out_comes_before_the_one_with_nothing() -> None:
    assert [one["requirements"] for one in describe(maybe).examples] == [
        {"nonce": "run-7", "size": 10},
        "none",
    ]
    assert [one["requirements"] for one in describe(beat).examples] == ["none"]


def test_nothing_comes_once_as_an_example() -> None:
    assert [one["requirements"] for one in describe(smoke_test).examples].count("none") == 1
    assert all(one["requirements"] != {} for one in describe(smoke_test).examples)


class Chain(Requirements):
    """Holds itself, and has an example."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"next": {"next": None}}]})

    next: "Chain | None"


def test_a_model_that_holds_itself_gives_its_own_examples() -> None:
    assert [one["requirements"] for one in describe(handler_of(Chain)).examples] == [
        {"next": {"next": None}}
    ]


class Total(BaseModel):
    """Has other names outside, and a field that is worked out."""

    cents: int = Field(5, alias="amount", validation_alias="amt", serialization_alias="out")

    @computed_field
    def euros(self) -> float:
        return self.cents / 100


@feature("total")
def total(context: Context) -> Total:
    return Total()


def test_the_result_that_is_described_is_the_one_in_the_log() -> None:
    logged, described = deliver(total).result, describe(total).result
    assert described is not None
    assert set(described["properties"]) == set(logged)
    assert Draft202012Validator(described).is_valid(logged)


def test_definitions_stand_where_their_references_look() -> None:
    assert set(describe(pet).payload["$defs"]) == {"Kind", "Visit"}
    assert "$defs" not in describe(say).payload


def handler_of(want: type[Requirements], result: Any = None) -> Feature[Any]:
    def handler(want: Any, context: Context) -> Any: ...

    handler.__annotations__ = {"want": want, "context": Context, "return": result}
    made: Feature[Any] = feature("odd")(handler)
    return made


class Checked(Requirements):
    """Takes what no schema can say."""

    it: str

    @field_validator("it")
    @classmethod
    def only_one(cls, value: str) -> str:
        if value != "the one":
            raise ValueError("not the one")
        return value


class Given(Checked):
    """The same, with an example."""

    it: str = Field(examples=["the one"])


class Callback(Requirements):
    """Has no schema."""

    it: Callable[[], int] = int


class CallbackAnswer(BaseModel):
    it: Callable[[], int] = int


def test_an_example_that_is_not_taken_is_one_line_that_asks_for_one() -> None:
    with pytest.raises(HandlersInvalid) as caught:
        describe(handler_of(Checked))
    said = str(caught.value)
    assert "test_described.handler_of" in said
    assert "requirements.it: Value error, not the one" in said
    assert "`examples=[...]`" in said
    assert "\n" not in said
    assert describe(handler_of(Given)).examples[0]["requirements"] == {"it": "the one"}


class Broken(Requirements):
    """Its validator has a bug."""

    it: int = 1

    @field_validator("it", mode="before")
    @classmethod
    def divided(cls, value: int) -> int:
        return value // 0

    model_config = ConfigDict(validate_default=True)


def test_a_validator_that_crashes_is_one_line() -> None:
    with pytest.raises(HandlersInvalid, match=r"no example of Broken .*\(ZeroDivisionError\)"):
        describe(handler_of(Broken))


class Impossible(Requirements):
    """Nothing fits."""

    it: int = Field(gt=5, lt=5)


def test_requirements_that_nothing_fits_are_one_line() -> None:
    with pytest.raises(HandlersInvalid, match=r"no example of Impossible .*`examples=\[...\]`"):
        describe(handler_of(Impossible))


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (handler_of(Callback), "the requirements of odd have no JSON Schema"),
        (handler_of(Given, CallbackAnswer), "the result of odd has no JSON Schema"),
    ],
    ids=["requirements", "result"],
)
def test_a_model_without_a_json_schema_is_one_line(one: Feature[Any], why: str) -> None:
    with pytest.raises(HandlersInvalid, match=why):
        describe(one)


def test_hostile_texts_stay_data() -> None:
    found = describe(hostile)
    assert found.requirements is not None
    assert (
        found.examples[0]["requirements"]["also"]
        == found.requirements["properties"]["also"]["examples"][0]
    )
