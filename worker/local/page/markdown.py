"""Markdown of a feature's page -> HTML that is safe: a subset, and everything else is text.

Headings, paragraphs, lists, tables, fenced code; in a line code, strong text and web links. HTML in
it is shown, not obeyed; a link to another file is its text.
"""

import re
from collections.abc import Callable, Iterator

from markupsafe import Markup, escape

from worker.local.page.text import visible

_FENCE = re.compile(r"\s{0,3}```")
_HEADING = re.compile(r"(#{1,6})\s+(.*)")
_ITEM = re.compile(r"\s{0,3}([-*]|\d{1,9}[.)])\s+(.*)")
_RULE = re.compile(r"[\s|:-]*-[\s|:-]*")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_INLINE = re.compile(
    r"`(?P<code>[^`]+)`|\*\*(?P<strong>[^*]+)\*\*|\[(?P<text>[^\[\]]+)\]\((?P<to>[^()\s]+)\)"
)
_TOP = 2  # levels that the page's own headings take
_DEEPEST = 6
_MOST = 200_000  # characters of a page


def html_of(text: str) -> Markup:
    """The page as HTML."""
    lines = _COMMENT.sub("", visible(text[:_MOST])).split("\n")
    return Markup("\n").join(_blocks(lines))


def _blocks(lines: list[str]) -> Iterator[Markup]:
    at = 0
    while at < len(lines):
        begins, draw = _kind_of(lines, at)
        end = at + 1
        while end < len(lines) and begins(lines[end]):
            end += 1
        yield draw(lines[at:end])
        at = end


_Block = tuple[Callable[[str], object], Callable[[list[str]], Markup]]


def _kind_of(lines: list[str], at: int) -> _Block:
    """What goes on with a block that begins at this line, and how it is drawn."""
    line = lines[at]
    if _FENCE.match(line):
        return _until_fence(), _code
    if not line.strip():
        return (lambda other: not other.strip()), lambda _: Markup("")
    if _HEADING.match(line):
        return (lambda _: False), _heading
    if _ITEM.match(line):
        return (lambda other: _ITEM.match(other) or (other[:1] == " " and other.strip())), _list
    if _is_row(line) and at + 1 < len(lines) and _RULE.fullmatch(lines[at + 1]):
        return _is_row, _table
    return (lambda other: other.strip() and not _begins(other)), _paragraph


def _begins(line: str) -> bool:
    """Whether the line begins a block that ends a paragraph."""
    return any(one.match(line) for one in (_FENCE, _HEADING, _ITEM)) or _is_row(line)


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


def _until_fence() -> Callable[[str], bool]:
    """Goes on up to the closing fence, that line included."""
    open_ = True

    def goes_on(line: str) -> bool:
        nonlocal open_
        was, open_ = open_, open_ and not _FENCE.match(line)
        return was

    return goes_on


def _code(lines: list[str]) -> Markup:
    body = lines[1:-1] if len(lines) > 1 and _FENCE.match(lines[-1]) else lines[1:]
    return Markup('<pre class="code" tabindex="0">{}</pre>').format("\n".join(body))


def _heading(lines: list[str]) -> Markup:
    marks, text = _HEADING.match(lines[0]).groups()  # type: ignore[union-attr]  # it did before
    level = min(len(marks) + _TOP, _DEEPEST)
    return Markup("<h{0}>{1}</h{0}>").format(level, _inline(text))


def _list(lines: list[str]) -> Markup:
    items: list[str] = []
    for line in lines:
        found = _ITEM.match(line)
        if found:
            items.append(found[2])
        else:
            items[-1] += f" {line.strip()}"
    tag = "ol" if lines[0].lstrip()[0].isdigit() else "ul"
    inner = Markup("").join(Markup("<li>{}</li>").format(_inline(item)) for item in items)
    return Markup("<{0}>{1}</{0}>").format(tag, inner)


def _table(lines: list[str]) -> Markup:
    head, *rows = [_cells(line) for line in lines if not _RULE.fullmatch(line)]
    top = _row(head, Markup('<th scope="col">{}</th>'))
    body = Markup("").join(_row(row, Markup("<td>{}</td>")) for row in rows)
    table = (
        '<div class="scroll"><table class="data"><thead>{}</thead><tbody>{}</tbody></table></div>'
    )
    return Markup(table).format(top, body)  # noqa: S704 - a constant


def _row(cells: list[str], cell: Markup) -> Markup:
    return Markup("<tr>{}</tr>").format(Markup("").join(cell.format(_inline(c)) for c in cells))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _paragraph(lines: list[str]) -> Markup:
    return Markup("<p>{}</p>").format(_inline(" ".join(line.strip() for line in lines)))


def _inline(text: str) -> Markup:
    parts, at = [], 0
    for found in _INLINE.finditer(text):
        parts += [escape(text[at : found.start()]), _span(found)]
        at = found.end()
    return Markup("").join([*parts, escape(text[at:])])


def _span(found: re.Match[str]) -> Markup:
    if found["code"]:
        return Markup("<code>{}</code>").format(found["code"])
    if found["strong"]:
        return Markup("<strong>{}</strong>").format(found["strong"])
    text = _inline(found["text"])
    if not found["to"].startswith(("https://", "http://")):
        return text
    return Markup('<a href="{}" rel="noreferrer">{}</a>').format(found["to"], text)
