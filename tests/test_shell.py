"""The reader of shell scripts that finds the commands in docs, builds and printed scripts."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.shell import commands

FILLED = "filled"
WORDS = st.lists(st.text(st.characters(exclude_characters="\0"), max_size=8), max_size=5)
# What gives the reader work.
PIECES = (
    *(
        "gcloud",
        " ",
        "\n",
        "\\\n",
        "'",
        '"',
        "$(",
        ")",
        "`",
        "$X",
        "${X",
        "}",
        "[@]",
        "<<E\n",
        "\nE\n",
    ),
    *("|", "&&", ";", "#", ">", "2>&1", "<(", "A=b", "\\", "((", "$(("),
)
SCRIPTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=25).map("".join)


def words(script: str, **variables: str) -> list[tuple[str, ...]]:
    return [one.words for one in commands(script, lambda _name: FILLED, variables)]


@given(SCRIPTS)
def test_any_text_can_be_read(script: str) -> None:
    for one in commands(script, lambda _name: FILLED):
        assert one.words
        assert 1 <= one.line <= script.count("\n") + 1


@given(WORDS)
def test_what_was_quoted_is_read_as_it_was(arguments: list[str]) -> None:
    assert words(shlex.join(["gcloud", *arguments])) == [("gcloud", *arguments)]


@given(
    WORDS,
    st.sampled_from(["{} | jq .", "true && {}", "X=1 {}", 'X="$({})"', "if {}; then", "({})"]),
)
def test_a_command_is_found_wherever_it_stands(arguments: list[str], place: str) -> None:
    wanted = ("gcloud", *arguments)
    assert wanted in words(place.format(shlex.join(wanted)))


@pytest.mark.parametrize(
    ("script", "wanted"),
    [
        ("a b \\\n  c", [("a", "b", "c")]),
        ("a # b\nc", [("a",), ("c",)]),
        ("a b#c", [("a", "b#c")]),
        ("a >/dev/null 2>&1 b", [("a", "b")]),
        ("a 2 > file", [("a", "2")]),
        ("a <<E b\nc\nE\nd", [("a", "b"), ("d",)]),
        ("a <<-'E'\n\tc $(x)\n\tE\nd", [("a",), ("d",)]),
        ('a <<<"b" c', [("a", "c")]),
        ("a <(b c) d", [("a", FILLED, "d"), ("b", "c")]),
        ('a "x $(b "c d") y"', [("a", f"x {FILLED} y"), ("b", "c d")]),
        ("a $( (b) ) c", [("a", FILLED, "c"), ("b",)]),
        ("a `b` c", [("a", FILLED, "c"), ("b",)]),
        ("a $((1 + 2)) b", [("a", "1", "b")]),
        ("X=1 Y=2 a $X", [("a", "1")]),
        ("X=1; a ${X} ${X:-${Y}}", [("a", "1", "1")]),
        ('X="$(b)"; a $X', [("b",), ("a", FILLED)]),
        ('a "${X[@]}" $@', [("a", FILLED, FILLED)]),
        ("export X=1\nlocal Y\na $X", [("Y",), ("a", "1")]),
        ("if ! a; then b; else c; fi", [("a",), ("b",), ("c",)]),
        ("a '' \"\"", [("a", "", "")]),
        (r"a \$X \"b\"", [("a", "$X", '"b"')]),
        (r'a "\$X \n"', [("a", r"$X \n")]),
        ("a '$X", [("a", "$X")]),
        ("a $", [("a", "$")]),
    ],
)
def test_a_script_is_read_as_a_shell_would(script: str, wanted: list[tuple[str, ...]]) -> None:
    assert sorted(words(script)) == sorted(wanted)


def test_each_command_is_on_the_line_where_it_begins() -> None:
    script = "# why\nA=b \\\n  one\ntwo \\\n --x=$(\n three)\n\nfour"
    found = {one.words[0]: one.line for one in commands(script, lambda _name: FILLED)}
    assert found == {"one": 3, "two": 4, "three": 6, "four": 8}


def test_variables_go_on_to_the_next_script() -> None:
    variables: dict[str, str] = {}
    commands("REGION=here; NUMBER=$(ask)", lambda _name: FILLED, variables)
    assert variables == {"REGION": "here"}
    (one,) = commands("a $REGION $NUMBER", lambda name: name.lower(), variables)
    assert one.words == ("a", "here", "number")
