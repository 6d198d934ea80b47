"""A feature's page in docs/features: the part of it that its models say."""

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from worker.builder.text import markdown
from worker.catalog.commands import Where, publish_command, query
from worker.catalog.described import Described
from worker.catalog.fields import rows_of
from worker.catalog.text import as_json

BEGIN = "<!-- generated: python -m worker features docs -->"
END = "<!-- end -->"
_PLAIN = re.compile(r"[A-Za-z0-9_./\[\]* ()-]+")  # a path that code marks can hold
_INERT = re.compile(r"[A-Za-z0-9 ,.;'\"()-]*")


class PageInvalid(Exception):
    """A page whose generated part cannot be found. One line: what to do."""


def renewed(
    page: str | None, one: Described, where: Where, code: tuple[Path, Path] | None = None
) -> str:
    """The page with its generated part as it should be; None is a page that is not there yet.

    `code` is the handler's file and the page's folder, for a link. What people wrote around the
    part stays. Raises PageInvalid.
    """
    part = [BEGIN, "", *_part(one, where, code), "", END]
    if page is None:
        about = [markdown(text) for text in one.about.split("\n\n") if text.strip()]
        return _joined([f"# {one.name}", "", *_apart(about), *part])
    lines = page.split("\n")
    marks = [line.strip() for line in lines]
    if BEGIN not in marks:
        return _joined([page.rstrip("\n"), "", *part])
    begin = marks.index(BEGIN)
    if END not in marks[begin:]:
        raise PageInvalid(f"the line {BEGIN} has no line {END} behind it: write one")
    return "\n".join([*lines[:begin], *part, *lines[marks.index(END, begin) + 1 :]])


def is_generated(page: str) -> bool:
    """Whether a part of the page is generated."""
    return BEGIN in map(str.strip, page.split("\n"))


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _apart(paragraphs: Sequence[str]) -> list[str]:
    return [line for text in paragraphs for line in (text, "")]


def _part(one: Described, where: Where, code: tuple[Path, Path] | None) -> list[str]:
    lines = [
        *_handler(one, code),
        "## The payload", "",
        *_requirements(one),
        *_fenced("json", as_json(one.examples[0])),
        "Publish it:", "",
        *_fenced("bash", publish_command(one, where)),
        *_result(one),
        "## In the log", "",
        "How its messages ended, in Logs Explorer:", "",
        *_fenced("lql", query(one, where)),
    ]  # fmt: skip
    return lines[:-1]


def _handler(one: Described, code: tuple[Path, Path] | None) -> list[str]:
    handler = f"The handler is {_code(one.place)}"
    if code:
        file, folder = code
        handler += (
            f" in [{_code(file.as_posix())}]({Path(os.path.relpath(file, folder)).as_posix()})"
        )
    twice = "A message that comes twice may run it twice: it is idempotent." * one.idempotent
    return [" ".join(filter(None, [f"{handler}.", twice])), ""]


def _requirements(one: Described) -> list[str]:
    rows = rows_of(one.requirements)
    if not rows:
        return ["It takes no requirements.", ""]
    cells = [
        (_code(row.path or "requirements"), row.type, row.needed, row.limits, row.meaning)
        for row in rows
    ]
    return _table(("Requirement", "Type", "Needed", "Limits", "Meaning"), cells)


def _result(one: Described) -> list[str]:
    rows = rows_of(one.result)
    if not rows:
        return []
    cells = [(_code(row.path or "result"), row.type, row.limits, row.meaning) for row in rows]
    head = ("Result field", "Type", "Limits", "Meaning")
    return ["## The result", "", *_table(head, cells)]


class _Code(str):
    """Markdown already."""

    __slots__ = ()


def _code(path: str) -> _Code:
    return _Code(f"`{path}`" if _PLAIN.fullmatch(path) else markdown(path))


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table; a column that has nothing to say is left out."""
    used = [at for at in range(len(head)) if any(row[at] for row in rows)]
    lines = [
        [row[at] if isinstance(row[at], _Code) else _cell(row[at]) for at in used] for row in rows
    ]
    return [
        _line(head[at] for at in used),
        f"|{'---|' * len(used)}",
        *map(_line, lines),
        "",
    ]


def _cell(text: str) -> str:
    """Words and numbers are themselves: nothing begins a block in a cell."""
    return text if _INERT.fullmatch(text) and "www." not in text.lower() else markdown(text)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _fenced(language: str, text: str) -> list[str]:
    return [f"```{language}", text, "```", ""]
