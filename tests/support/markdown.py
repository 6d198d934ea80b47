"""The project's Markdown pages: their text, tables, links, fenced blocks and shell commands."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.server import ROOT

_TOP = ("README.md", "CHANGELOG.md", "SECURITY.md")
PAGES = [*(ROOT / name for name in _TOP), *sorted((ROOT / "docs").rglob("*.md"))]

_FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_ASSIGNMENT = re.compile(r"(\w+)=(.*)", re.DOTALL)
_SUBSTITUTION = re.compile(r'(?:(\w+)=|eval )"\$\((.*)\)"\s*')
_OPERATORS = frozenset("|&;<>()")


@dataclass(frozen=True)
class Block:
    """A fenced block; `place` is page:line of its first line."""

    page: Path
    place: str
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """One command of a shell block, its words as the program gets them."""

    place: str
    words: tuple[str, ...]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def blocks(*languages: str) -> list[Block]:
    """The fenced blocks of every page, in order; of these languages if any are named."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in _FENCE.finditer(text):
            indent, language, body = match.groups()
            place = f"{name_of(page)}:{text.count(chr(10), 0, match.start()) + 2}"
            body = re.sub(f"^{indent}", "", body, flags=re.MULTILINE)
            found.append(Block(page, place, language, body))
    return [block for block in found if not languages or block.language in languages]


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text())


def links(page: Path) -> list[str]:
    return _LINK.findall(prose(page))


def anchors(page: Path) -> set[str]:
    """What GitHub makes of the headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in _HEADING.findall(prose(page))
    }


def table(page: Path, first_column: str) -> list[list[str]]:
    """The cells of the rows of the table whose first column has that heading."""
    (rows,) = re.findall(
        rf"^\| {first_column} \|.*\n\|[-|]+\n((?:\|.*\n)+)", prose(page), re.MULTILINE
    )
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows.splitlines()]


def shell_commands() -> list[Command]:
    """Every command of every bash block. What a page assigns is filled in further down the page."""
    found: list[Command] = []
    variables: dict[Path, dict[str, str]] = {}
    for block in blocks("bash"):
        for line in _whole_lines(block.text):
            words = _commands(line, variables.setdefault(block.page, {}))
            found += [Command(block.place, tuple(one)) for one in words]
    return found


def _whole_lines(text: str) -> Iterator[str]:
    """Lines, joined where a backslash or an open quote goes on."""
    pending = ""
    for line in text.splitlines():
        pending += line + "\n"
        if not line.endswith("\\") and _is_closed(pending):
            yield pending.replace("\\\n", " ")
            pending = ""
    assert not pending, f"a quote is left open: {pending}"


def _is_closed(text: str) -> bool:
    try:
        shlex.split(text, comments=True)
    except ValueError:
        return False
    return True


def _commands(line: str, variables: dict[str, str]) -> Iterator[list[str]]:
    """The simple commands of one line; in NAME="$(COMMAND)" and eval "$(COMMAND)", the command."""
    if substitution := _SUBSTITUTION.fullmatch(line):
        name, inside = substitution.groups()
        yield from _commands(inside, variables)
        if name:
            variables[name] = f"a-{name.lower()}"
        return
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    command: list[str] = []
    for word in [*lexer, ";"]:
        if _OPERATORS.issuperset(word):
            if command:
                yield command
            command = []
        elif not command and (assignment := _ASSIGNMENT.fullmatch(word)):
            name, value = assignment.groups()
            variables[name] = _filled(value, variables)
        elif command or word != "export":
            command.append(_filled(word, variables))


def _filled(word: str, variables: dict[str, str]) -> str:
    return re.sub(r"\$(\w+)", lambda found: variables.get(found[1], found[0]), word)
