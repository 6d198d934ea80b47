"""What a backend may publish, and what a refusal says about it."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.anything import JSON, TEXT
from worker.message import Form, Message
from worker.outcome import BadPayload
from worker.payload import FeaturePayload, parse

MARKER = "ZQ7marker"


def read(data: bytes | dict[str, Any]) -> FeaturePayload:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    return parse(Message("1", body, {}, Form.WRAPPED))


def end_of(data: bytes | dict[str, Any]) -> FeaturePayload | BadPayload:
    try:
        return read(data)
    except BadPayload as bad:
        return bad


def refusal(data: bytes | dict[str, Any]) -> str:
    with pytest.raises(BadPayload) as caught:
        read(data)
    return caught.value.reason


def test_a_payload_is_read_whole() -> None:
    payload = read({"feature": "resize", "description": "why", "requirements": {"width": 5}})
    assert payload == FeaturePayload(feature="resize", description="why", requirements={"width": 5})
    assert payload.has_requirements


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"requirements": "none"},
        {"requirements": None},
        {"requirements": ""},
        {"requirements": {}},
    ],
)
def test_every_spelling_of_no_requirements_means_none(rest: dict[str, Any]) -> None:
    payload = read({"feature": "a", **rest})
    assert not payload.has_requirements
    assert payload.description == ""


@pytest.mark.parametrize(
    "something", [False, 0, 0.0, [], "None", "NONE", " none", " ", "null", [None], {"": None}, True]
)
def test_what_only_resembles_none_is_a_requirement(something: Any) -> None:
    assert read({"feature": "a", "requirements": something}).has_requirements


def test_unknown_fields_are_refused_by_name() -> None:
    reason = refusal({"feature": "a", "requirement": MARKER, "Description": MARKER})
    assert reason == "bad payload: requirement: unknown field; Description: unknown field"


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ({"description": MARKER}, "feature: missing"),
        ({"feature": None}, "feature: "),
        ({"feature": 5}, "feature: "),
        ({"feature": [MARKER]}, "feature: "),
        ({"feature": "a", "description": None}, "description: "),
        ({"feature": "a", "description": {"x": MARKER}}, "description: "),
    ],
)
def test_a_field_of_the_wrong_type_is_named(data: dict[str, Any], named: str) -> None:
    reason = refusal(data)
    assert reason.startswith(f"bad payload: {named}")
    assert MARKER not in reason


@pytest.mark.parametrize("name", ["a", "a1_", "a" * 64, "smoke_test", "z_"])
def test_a_good_feature_name_is_taken(name: str) -> None:
    assert read({"feature": name}).feature == name


@pytest.mark.parametrize("name", [
    "", "a" * 65, "A", "aB", "1a", "_a", "a-b", "a b", "a\n", "\na", "a٣", "ä", "aé", " a", "a.b",
    "a\x00",
])  # fmt: skip
def test_a_bad_feature_name_is_refused(name: str) -> None:
    assert refusal({"feature": name}).startswith("bad payload: feature: ")


@pytest.mark.parametrize("data", [
    b"null", b"[]", b'"a"', b"5", b"{", b"[" * 100_000, b"\xff", b'\xef\xbb\xbf{"feature":"a"}',
    b'{"feature":"a"} x', b"{'feature':'a'}", b'{"feature":"a",}',
    '{"feature":"a"}'.encode("utf-16"),
    b'{"feature":"a","requirements":"\\ud800"}', b'{"feature":"a","requirements":"\xff"}',
    b'{"feature":"a","requirements":' + b"9" * 5000 + b"}",
    b'{"feature":"a","requirements":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
])  # fmt: skip
def test_what_is_no_json_object_is_a_bad_payload(data: bytes) -> None:
    assert refusal(data).startswith("bad payload: ")


def test_no_data_at_all_says_what_is_wanted() -> None:
    assert refusal(b"") == "the message has no data; want a JSON object with a feature"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("place", ["%s", "[1, %s]", '{"a": %s}'])
def test_nan_and_infinity_are_no_json(number: str, place: str) -> None:
    data = f'{{"feature": "a", "requirements": {place % number}}}'.encode()
    assert refusal(data) == "bad payload: NaN and Infinity are not JSON"


def test_nan_inside_a_text_is_only_text() -> None:
    payload = read(
        {"feature": "a", "description": "NaN", "requirements": {"Infinity": "-Infinity"}}
    )
    assert payload.description == "NaN"


def test_a_nan_does_not_hide_another_problem() -> None:
    assert "description" in refusal(b'{"feature": "a", "description": NaN}')
    assert "Invalid JSON" in refusal(b'{"feature": "a", "description": "NaN"')


def test_of_duplicate_keys_the_last_one_counts() -> None:
    assert read(b'{"feature": "a", "feature": "b"}').feature == "b"


@given(JSON)
def test_requirements_may_be_any_json(value: Any) -> None:
    text = json.dumps(value)
    if not any(odd in text for odd in ("NaN", "Infinity", "\\ud")):
        payload = read(f'{{"feature": "a", "requirements": {text}}}'.encode())
        assert payload.requirements == json.loads(text)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@example(b'{"feature":"a"}')
def test_any_bytes_are_a_payload_or_a_bad_payload(data: bytes) -> None:
    end = end_of(data)
    assert end.reason.isprintable() if isinstance(end, BadPayload) else end.feature


@given(
    st.dictionaries(
        st.sampled_from(["feature", "description", "requirements"]) | TEXT,
        st.recursive(
            TEXT.map(lambda text: f"{text}{MARKER}{text}"),
            lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
            max_leaves=5,
        ),
        min_size=1,
    )
)
def test_a_reason_never_repeats_a_value(fields: dict[str, Any]) -> None:
    end = end_of(fields)
    assert isinstance(end, BadPayload)
    assert MARKER not in end.reason
