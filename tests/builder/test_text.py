"""Anybody's text in Python and in Markdown: it says what it said, and does nothing."""

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.support.server import ROOT
from worker.builder.text import docstring, literal, markdown

NASTY = [
    "",
    " \n\t ",
    'ends with "',
    '"begins" with one',
    'three """ of them """',
    "a \\ and an \\n and a \\u202e",
    "ends with \\",
    '\\ and """',
    "ab(c) is how it is called",
    "first line\n\nsecond paragraph, `code` and {braces} %s ${X}",
    "tab\there, bell \a, nul \0, escape \x1b[31m, \x85 \u2028 \ufeff",
    "\u202eevil\u2066 \u200b \ud800 \udfff",
    "\u0430\u0435\u043e \u2013 \u2019 \u00d7 \u017f \u0131",
    "Die H\u00fcndin ist gr\u00f6\u00dfer \u2026 \u201cquotes\u201d",
    "\u732b\u306e\u4f53\u91cd\u3092\u8a18\u9332\u3059\u308b\u3002" * 20,
    "x" * 300,
    "short " + "y" * 200 + " words " * 40,
    "One sentence. " * 30,
    "camelCase is a word",
    "don't",
    "returns:\n    nothing\n\nArgs:\n    x: y\n\nExample\n-------\n>>> 1",
    "# noqa: ALL",
    "type: ignore",
    "http://0.0.0.0/tmp",
]
TEXTS = st.text(st.characters(), max_size=300) | st.sampled_from(NASTY)


def folded(text: str) -> str:
    """What a docstring keeps of a text."""
    printable = "".join("\ufffd" if "\ud800" <= one <= "\udfff" else one for one in text)
    return " ".join(printable.split()) or "No description."


@given(TEXTS)
def test_a_literal_is_exactly_the_text(text: str) -> None:
    assert ast.literal_eval(literal(text)) == text
    assert literal(text).startswith(('"', '("'))
    assert "\n" not in literal(text)


@given(TEXTS, st.sampled_from([0, 4, 8]))
def test_a_docstring_says_the_text_with_its_white_space_folded(text: str, indent: int) -> None:
    said = ast.literal_eval(docstring(text, indent))
    assert " ".join(said.split()).casefold() == folded(text).casefold()


def test_a_docstring_keeps_paragraphs_and_fits_the_line() -> None:
    made = docstring("one\ntwo\n\nthree " + "four " * 40, 4)
    assert made.splitlines()[:3] == ['"""One two', "", "    three " + "four " * 17 + "four"]
    assert made.endswith('\n    """')


def test_ruff_accepts_docstrings_and_literals_of_any_text(tmp_path: Path) -> None:
    texts = [*NASTY, *_sampled(TEXTS, 150), *_every_character()]
    parts = ['"""Texts of all kinds."""\n\nTEXTS = [']
    parts += [f"    {literal(text)},  # noqa: S104, S108, RUF100" for text in texts]
    parts += ["]"]
    for at, text in enumerate(texts):
        parts += [f"\n\ndef f{at}() -> None:\n    {docstring(text, 4, name=f'f{at}')}"]
        parts += [f"\n\nclass C{at}:\n    {docstring(text, 4)}"]
    source = "\n".join(parts) + "\n"
    path = tmp_path / "handlers.py"
    path.write_bytes(source.encode())
    (tmp_path / "__init__.py").touch()
    settings_of_ours = ["--config", str(ROOT / "pyproject.toml"), "--no-cache"]
    _ruff("format", *settings_of_ours, str(path))
    assert ast.dump(ast.parse(path.read_bytes())) == ast.dump(ast.parse(source))
    _ruff("check", *settings_of_ours, str(path))


def test_the_name_of_the_function_is_no_signature() -> None:
    assert ast.literal_eval(docstring("pet(s) are weighed", 4, name="pet")) == "pet(s) are weighed"
    assert "pet(" not in docstring("pet(s) are weighed", 4, name="pet")


INLINE = {"text", "softbreak"}


@given(TEXTS)
def test_markdown_shows_the_text_and_nothing_comes_of_it(text: str) -> None:
    shown = markdown(text)
    assert "\n" not in shown
    assert all(one.isprintable() for one in shown)
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(shown)
    assert [token.type for token in tokens] in (
        [],
        ["paragraph_open", "inline", "paragraph_close"],
    ), shown
    inline = tokens[1].children or [] if tokens else []
    assert {one.type for one in inline} <= INLINE, shown
    wanted = "".join(one if one.isprintable() else _code(one) for one in " ".join(text.split()))
    assert "".join(one.content for one in inline) == wanted


@pytest.mark.parametrize(
    "text",
    ["# one", "- one", "+ one", "1. one", "12) one", "> one", "| a | b |", "```sh", "~~~", "===",
     "<b>", "[a](b)", "![a](b)", "*a*", "__a__", "`a`", "<!-- end -->", "---", "* * *", "&lt;"],
)  # fmt: skip
@pytest.mark.parametrize("place", [lambda text: text, lambda text: f"before\n{text}"])
def test_no_sign_of_markdown_has_an_effect(text: str, place: Callable[[str], str]) -> None:
    [_, inline, _] = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown(place(text)))
    assert {one.type for one in inline.children or []} == {"text"}


def _code(character: str) -> str:
    number = ord(character)
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"


def _every_character() -> list[str]:
    """Each one of the first planes, many in a text."""
    every = [chr(number) for number in range(0x20000)]
    return ["a".join(every[start : start + 512]) for start in range(0, len(every), 512)]


def _sampled(strategy: st.SearchStrategy[str], count: int) -> list[str]:
    """As many texts, the same in each run."""
    found: list[str] = []

    @settings(max_examples=count, derandomize=True, database=None)
    @given(strategy)
    def collect(text: str) -> None:
        found.append(text)

    collect()
    return found


def _ruff(*words: str) -> None:
    command = [sys.executable, "-m", "ruff", *words]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
