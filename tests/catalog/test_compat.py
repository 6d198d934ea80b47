"""What is called compatible is; what narrows a payload is said in a sentence."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.catalog.changing import changed, documents, value_of
from worker.catalog.compat import breaking
from worker.catalog.compat.validation import validator_of

TEXT = {"type": "string"}
WHOLE = {"type": "integer"}
EVERY_OTHER = ("a number", "a string", "a list")
MANY_EXAMPLES = settings(max_examples=80, deadline=None)


def of(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    """A model of ours."""
    return {
        "type": "object", "properties": properties, "required": list(required),
        "additionalProperties": False,
    }  # fmt: skip


def said(old: Any, new: Any) -> list[str]:
    return [str(one) for one in breaking(old, new)]


def chain(name: str, **value: Any) -> dict[str, Any]:
    """A model that holds itself."""
    reference = {"$ref": f"#/$defs/{name}"}
    follows = {"anyOf": [reference, {"type": "null"}], "default": None}
    return {**reference, "$defs": {name: of(value={**TEXT, **value}, next=follows)}}


NARROWED = {
    "a field removed": (of(a=TEXT), of(), "a: the field is gone: a message that has it is refused"),
    "a field ignored": (
        {"type": "object", "properties": {"a": TEXT}}, {"type": "object", "properties": {}},
        "a: the field is gone: what a message says there is ignored",
    ),
    "another type": (of(a=TEXT), of(a=WHOLE),
                     "a: a string is no longer taken (want a whole number)"),
    "number to integer": (
        {"type": "number"}, WHOLE,
        "a number with a fraction is no longer taken (want a whole number)",
    ),
    "a new field that is needed": (of(), of(("a",), a=TEXT), "a: is new and required"),
    "an optional field that is needed": (of(a=TEXT), of(("a",), a=TEXT),
                                         "a: was optional and is required now"),
    "a longer text": (TEXT, {**TEXT, "minLength": 1},
                      "must have at least 1 character now (was 0)"),
    "a shorter text": ({**TEXT, "maxLength": 9}, {**TEXT, "maxLength": 8},
                       "must have at most 8 characters now (was 9)"),
    "a minimum": (WHOLE, {**WHOLE, "minimum": 0},
                  "must be at least 0 now (it had no such limit)"),
    "an excluded minimum": ({"type": "number", "minimum": 0},
                            {"type": "number", "exclusiveMinimum": 0},
                            "must be more than 0 now (was at least 0)"),
    "a maximum": ({**WHOLE, "maximum": 9}, {**WHOLE, "maximum": 8.5},
                  "must be at most 8 now (was at most 9)"),
    "a multiple": ({**WHOLE, "multipleOf": 2}, {**WHOLE, "multipleOf": 4},
                   "must be a multiple of 4 now"),
    "a pattern": ({**TEXT, "pattern": "^a"}, {**TEXT, "pattern": "^b"},
                  "cannot compare pattern: it has changed"),
    "a first pattern": (TEXT, {**TEXT, "pattern": "^b"}, "must match a pattern now"),
    "a format": ({**TEXT, "format": "date"}, {**TEXT, "format": "date-time"},
                 "must have the format date-time now (was date)"),
    "fewer items": ({"type": "array"}, {"type": "array", "maxItems": 2},
                    "must have at most 2 items now (it had no such limit)"),
    "different items": ({"type": "array"}, {"type": "array", "uniqueItems": True},
                        "its items must differ from each other now"),
    "other items": ({"type": "array", "items": TEXT}, {"type": "array", "items": WHOLE},
                    "[]: a string is no longer taken (want a whole number)"),
    "an item of a tuple": (
        {"type": "array", "prefixItems": [TEXT, TEXT], "items": False},
        {"type": "array", "prefixItems": [TEXT, WHOLE], "items": False},
        "[1]: a string is no longer taken (want a whole number)",
    ),
    "a value of an enum": ({"enum": ["a", "b", None]}, {"enum": ["b"]},
                           '"a" and null are no longer taken'),
    "another constant": ({"const": 1}, {"const": True}, "1 is no longer taken"),
    "a text to an enum": (TEXT, {"enum": ["a"]}, "only some values are taken now"),
    "no null": ({"anyOf": [TEXT, {"type": "null"}]}, TEXT, "null is no longer taken"),
    "no none": (
        {"anyOf": [of(a=TEXT), {"enum": [None, "none", ""]}]}, of(("a",), a=TEXT),
        'null, "none" and "" are no longer taken',
    ),
    "closed": (
        {"type": "object", "properties": {}, "additionalProperties": True}, of(),
        "fields that the schema does not name are refused now",
    ),
    "values of a map": (
        {"type": "object", "additionalProperties": {"type": "number"}},
        {"type": "object", "additionalProperties": WHOLE},
        "*: a number with a fraction is no longer taken (want a whole number)",
    ),
    "names of a map": (
        {"type": "object", "additionalProperties": True},
        {"type": "object", "additionalProperties": True, "propertyNames": {"format": "uuid"}},
        "the names of its fields: must have the format uuid now",
    ),
    "fewer fields": ({"type": "object"}, {"type": "object", "maxProperties": 2},
                     "must have at most 2 fields now (it had no such limit)"),
    "a member of a union": (
        {"anyOf": [TEXT, WHOLE, {"type": "array"}]}, {"anyOf": [TEXT, WHOLE]},
        "a list is no longer taken (want a whole number or a string)",
    ),
    "a map to a model": (
        {"type": "object"}, {"type": "object", "properties": {"a": WHOLE}},
        "a: null, false and true are no longer taken",
    ),
    "several kinds at once": ({"type": ["string", "array", "number"]}, {"type": "object"},
                              "a number, a string and a list are no longer taken (want an object)"),
    "one list of types": ({"type": ["string", "array"]}, {"type": ["string", "object"]},
                          "a list is no longer taken (want a string or an object)"),
    "anything to something": (
        of(a={}), of(a={"type": ["string", "boolean", "null", "number", "array"]}),
        f"a: an object is no longer taken (want {' or '.join(EVERY_OTHER)})",
    ),
    "within itself": (chain("Old"), chain("New", maxLength=3),
                      "value: must have at most 3 characters now (it had no such limit)"),
    "what nobody compares": ({"not": TEXT}, {"not": WHOLE}, "cannot compare not: it has changed"),
    "alternatives that overlap": (
        {"anyOf": [TEXT, WHOLE]}, {"oneOf": [TEXT, {"type": ["string", "integer"]}]},
        "cannot compare oneOf: it has changed",
    ),
    "joined schemas": ({"type": "integer", "minimum": 0},
                       {"allOf": [{"minimum": 0}, {"minimum": 1}]},
                       "cannot compare allOf: it has changed"),
    "a reference to nowhere": (TEXT, {"$ref": "#/$defs/gone"},
                               "cannot compare $ref: it has changed"),
    "a reference to itself": (
        TEXT, {"$ref": "#"}, "cannot compare references that lead to references: it has changed",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "sentence"), NARROWED.values(), ids=NARROWED)
def test_what_narrows_is_said(old: Any, new: Any, sentence: str) -> None:
    assert sentence in said(old, new)


def tagged(word: str, *tags: str) -> dict[str, Any]:
    members = [of(("kind",), kind={"const": tag}) for tag in tags]
    return {word: members}


WIDENED = {
    "a model to a map": (
        {"type": "object", "properties": {"a": WHOLE}},
        {"type": "object", "additionalProperties": WHOLE},
    ),
    "a new optional field": (of(), of(a=TEXT)),
    "a field beside those that were ignored": (
        {"type": "object", "properties": {}}, {"type": "object", "properties": {"a": TEXT}},
    ),
    "a field that is not needed any more": (of(("a",), a=TEXT), of(a=TEXT)),
    "an integer to a number": (WHOLE, {"type": "number"}),
    "the same limit in other words": ({**WHOLE, "exclusiveMinimum": 0}, {**WHOLE, "minimum": 1}),
    "a wider limit": ({**TEXT, "maxLength": 8}, {**TEXT, "maxLength": 9}),
    "a multiple of a multiple": ({"type": "number", "multipleOf": 0.5},
                                 {"type": "number", "multipleOf": 0.25}),
    "another value": ({"enum": ["a"]}, {"enum": ["b", "a"]}),
    "an enum to any text": ({"enum": ["a"]}, TEXT),
    "null": (TEXT, {"anyOf": [{"type": "null"}, TEXT]}),
    "another member": (tagged("oneOf", "cat"), tagged("oneOf", "dog", "cat")),
    "definitions with other names": (chain("Old"), chain("New")),
    "other texts": ({**TEXT, "title": "A", "description": "a", "examples": ["x"]}, TEXT),
    "opened": (of(), {"type": "object", "properties": {}}),
    "a tuple to a list": (
        {"type": "array", "prefixItems": [TEXT, TEXT], "maxItems": 2}, {"type": "array"},
    ),
    "the same that nobody compares": ({"not": {**TEXT, "title": "A"}}, {"not": TEXT}),
    "anything": (TEXT, True),
    "what nobody could send": (of(a=False), of()),
    "a boolean by its values": ({"type": "boolean"}, {"enum": [True, False]}),
    "an empty object by its value": ({"type": "object", "maxProperties": 0}, {"const": {}}),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), WIDENED.values(), ids=WIDENED)
def test_what_widens_breaks_nobody(old: Any, new: Any) -> None:
    assert said(old, new) == []


@MANY_EXAMPLES
@given(st.data())
def test_what_was_valid_is_valid_under_a_schema_that_is_called_compatible(
    data: st.DataObject,
) -> None:
    old = data.draw(documents())
    new = changed(data.draw, old)
    assume(not breaking(old, new))
    before, now = validator_of(old), validator_of(new)
    for _ in range(4):
        value = value_of(data.draw, old, old)
        assert now.is_valid(value) or not before.is_valid(value), (old, new, value)


@MANY_EXAMPLES
@given(documents())
def test_a_schema_is_compatible_with_itself(document: dict[str, Any]) -> None:
    renamed = {**document, "$defs": {"node": document["$defs"]["node"], "other": TEXT}}
    assert said(document, renamed) == []


NARROWING: list[Any] = [
    {"type": "null"}, {"enum": ["nobody sends this"]}, {"const": 10.25},
    {"type": "string", "minLength": 50}, {"type": "object", "minProperties": 50},
    {"type": "array", "minItems": 50}, {"type": "number", "minimum": 10_000}, {"not": {}}, False,
]  # fmt: skip


@MANY_EXAMPLES
@given(st.data())
def test_a_field_that_takes_less_is_said(data: st.DataObject) -> None:
    """A value that was taken and is not proves that there is something to say."""
    old = data.draw(documents())
    assume(old["properties"])
    name = data.draw(st.sampled_from(sorted(old["properties"])))
    less = data.draw(st.sampled_from(NARROWING))
    new = {**old, "properties": {**old["properties"], name: less}}
    value = value_of(data.draw, old, old)
    assume(validator_of(old).is_valid(value))
    if not validator_of(new).is_valid(value):
        assert [one for one in said(old, new) if name in one or "too" in one or "cannot" in one]


@pytest.mark.parametrize("depth", [10, 100_000])
def test_a_deep_schema_ends(depth: int) -> None:
    old: Any = {"type": "string"}
    new: Any = {"type": "integer"}
    for _ in range(depth):
        old, new = {"type": "array", "items": old}, {"type": "array", "items": new}
    assert len(said(old, new)) == 1


def test_definitions_that_multiply_end() -> None:
    def wide(last: str) -> dict[str, Any]:
        both = {f"d{n}": of(a={"$ref": f"#/$defs/d{n + 1}"}, b={"$ref": f"#/$defs/d{n + 1}"})
                for n in range(30)}  # fmt: skip
        return {"$ref": "#/$defs/d0", "$defs": {**both, "d30": {"type": last}}}

    assert "cannot compare" in " ".join(said(wide("string"), wide("integer")))
    assert said(wide("string"), wide("string")) == []
