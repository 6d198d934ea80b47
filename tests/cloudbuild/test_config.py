"""The reader of build configurations replaces and refuses as Cloud Build does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cloudbuild.config import (
    A_COMMIT,
    BUILD_ID,
    REFERENCE,
    BuildRefused,
    Values,
    read_build,
)  # fmt: skip

_ONE_STEP = "steps: [{name: bash, args: ['%s']}]\n"


def _argument(text: str, **given_values: str) -> str:
    return read_build(_ONE_STEP % text, given_values).steps[0].args[0]


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("$PROJECT_ID", "demo-project"),
        ("a${PROJECT_ID}b", "ademo-projectb"),
        ("$$PROJECT_ID", "$PROJECT_ID"),
        ("$${name}", "${name}"),
        ("$$$PROJECT_ID", "$demo-project"),
        ("$name ${name} $1 $(x) $", "$name ${name} $1 $(x) $"),  # no name of Cloud Build's
        ("${_A}$_A", "11"),
        ("$SHORT_SHA", ""),  # nobody triggered it
    ],
)
def test_what_a_step_gets(text: str, becomes: str) -> None:
    assert _argument(text, **({"_A": "1"} if "_A" in text else {})) == becomes


@given(st.text())
def test_a_text_whose_dollars_are_doubled_arrives_as_it_was(text: str) -> None:
    assert Values({}).into(text.replace("$", "$$")) == text


@given(st.text(alphabet="$_{}AZaz09 "))
def test_any_text_is_replaced_or_refused_by_the_name_that_nobody_knows(text: str) -> None:
    values = Values(dict.fromkeys(["A", "_A", "A9"], "x"))
    unknown = {one[2] or one[3] for one in REFERENCE.finditer(text) if not one[1]} - set(values.of)
    if unknown:
        with pytest.raises(
            BuildRefused, match=f"({'|'.join(unknown)}) is no built-in substitution"
        ):
            values.into(text)
    else:
        assert len(values.into(text)) <= len(text)


def test_a_name_that_nobody_knows_is_refused() -> None:
    with pytest.raises(BuildRefused, match="_REGON is no built-in"):
        _argument("${_REGON}", _REGION="here")


def test_a_substitution_that_is_not_used_is_refused_unless_a_trigger_gives_it() -> None:
    text = _ONE_STEP % "x" + "substitutions: {_SPARE: '1'}\n"
    with pytest.raises(BuildRefused, match="_SPARE: given, and not used"):
        read_build(text)
    assert read_build(text, trigger=A_COMMIT).steps


def test_a_substitution_of_the_user_begins_with_an_underscore() -> None:
    with pytest.raises(BuildRefused, match="REGION: a user's"):
        read_build(_ONE_STEP % "$REGION" + "substitutions: {REGION: here}\n")


def test_substitutions_refer_to_others_only_when_they_may() -> None:
    text = _ONE_STEP % "${_B}" + "substitutions: {_A: $BUILD_ID, _B: 'b-${_A}'}\n"
    dynamic = read_build(text + "options: {dynamicSubstitutions: true}\n")
    assert dynamic.steps[0].args == (f"b-{BUILD_ID}",)
    with pytest.raises(BuildRefused, match="_A: given, and not used"):
        read_build(text)


def test_what_is_given_has_precedence_and_a_trigger_knows_the_commit() -> None:
    text = _ONE_STEP % "${_TAG}" + (
        "substitutions: {_TAG: $BUILD_ID}\noptions: {dynamicSubstitutions: true}\n"
    )
    assert read_build(text, {"_TAG": "$SHORT_SHA"}, A_COMMIT).steps[0].args == ("5f0c1de",)
    assert read_build(text, {"_TAG": "$SHORT_SHA"}).steps[0].args == ("",)


def test_a_script_is_left_alone() -> None:
    found = read_build("steps: [{name: bash, id: '$PROJECT_ID', script: 'echo $PROJECT_ID'}]\n")
    assert found.steps[0].id == "demo-project"


def test_steps_wait_for_all_before_them_unless_they_say_otherwise() -> None:
    found = read_build(
        "steps: [{name: x, id: a}, {name: x, id: b, waitFor: ['-']}, {name: x, id: c},"
        " {name: x, id: d, waitFor: [b]}]\n"
    )
    assert [step.waits_for for step in found.steps] == [(), (), ("a", "b"), ("b",)]
    assert found.before("c") == {"a", "b"}
    assert found.before("d") == {"b"}


@pytest.mark.parametrize("waited", ["b", "later", "itself"])
def test_a_step_waits_for_earlier_ones_only(waited: str) -> None:
    with pytest.raises(BuildRefused, match=f"itself waits for {waited}"):
        read_build(
            f"steps: [{{name: x, id: a}}, {{name: x, id: itself, waitFor: [{waited}]}},"
            " {name: x, id: later}]\n"
        )
