"""Anybody's text as a part of Python or Markdown: it is shown, and never takes effect."""

import re
import unicodedata
from collections.abc import Iterator

_LINE = 100  # columns of a line of code
_PIECE = 60  # columns of one piece of a long string: it stands deep inside of brackets

# Letters that people can read and that no linter takes for others; the rest is escaped.
_SCRIPTS = ("LATIN ", "CJK UNIFIED ", "HIRAGANA ", "KATAKANA LETTER ", "HANGUL SYLLABLE ")
_LAST_LATIN = "\u017e"
_AMBIGUOUS = frozenset("\u0131\u30ce\u4e36\u4e3f")
_SIGNS = frozenset("\u201c\u201d\u201e\u2026\u2014\u20ac\u00b0\u00a7")

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\", '"': '\\"'}
_SURROGATE = re.compile("[\ud800-\udfff]")
_SENTENCE_END = (".", "!", "?", "\u3002")

_MARKDOWN = re.compile(r"[\\`*_\[\]<>|~&$]|(?<=\])\(|(?<=[A-Za-z]):(?=//)|(?<=www)\.")
_MARKDOWN_START = re.compile(r"(?<!\S)(\d{0,9})([#+=\-.)])")


def literal(text: str) -> str:
    """A double-quoted Python string of exactly this text; a long one in pieces, in brackets."""
    pieces = [f'"{piece}"' for piece in _pieces(text)]
    return pieces[0] if len(pieces) == 1 else f"({' '.join(pieces)})"


def docstring(text: str, indent: int, *, name: str = "") -> str:
    """A Python docstring that says this text, for a class or a function called `name`.

    White space is folded and lines are broken anew; blank lines still part paragraphs. A first
    word in small letters gets a capital, as our linter wants it. Half a surrogate pair becomes
    U+FFFD: nobody could print it. A text of nothing but white space is "No description."
    """
    paragraphs = _paragraphs(_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text))
    paragraphs[0][0] = _capital(paragraphs[0][0])
    raw = _fits_raw(paragraphs)
    shown = [[word if raw else _escaped(word) for word in one] for one in paragraphs]
    summary, rest = _summary(shown, _LINE - indent - len('r""""""'), f"{name}(" if name else "")
    quotes = 'r"""' if raw else '"""'
    if not rest:
        return f'{quotes}{summary}"""'
    pad = " " * indent
    body = "\n\n".join("\n".join(_wrapped(one, _LINE - indent, pad)) for one in rest)
    return f'{quotes}{summary}\n\n{body}\n{pad}"""'


def markdown(text: str) -> str:
    r"""Show the text as it is, in one line: no tag, link, heading, table or fence comes of it.

    White space is folded; what is not printable is shown as its escape, such as \u202e.
    """
    words = ("".join(map(_printable, word)) for word in text.split())
    inert = _MARKDOWN.sub(r"\\\g<0>", " ".join(words))
    return _MARKDOWN_START.sub(r"\1\\\2", inert)


def _pieces(text: str) -> list[str]:
    pieces = [""]
    for character in text:
        one = _SHORT.get(character) or (character if _is_plain(character) else _code(character))
        if _columns(pieces[-1]) + _columns(one) > _PIECE:
            pieces.append("")
        pieces[-1] += one
    return pieces


def _paragraphs(text: str) -> list[list[str]]:
    """Words of each paragraph, at least one word in all."""
    lines = [line.split() for line in text.splitlines()]
    paragraphs: list[list[str]] = [[]]
    for words in lines:
        if words:
            paragraphs[-1] += words
        elif paragraphs[-1]:
            paragraphs.append([])
    return [words for words in paragraphs if words] or [["No", "description."]]


def _capital(word: str) -> str:
    return word[0].upper() + word[1:] if re.fullmatch(r"[a-z][A-Za-z']*[.!?]*", word) else word


def _fits_raw(paragraphs: list[list[str]]) -> bool:
    """Whether backslashes can stay as they are: nothing else needs an escape."""
    text = " ".join(word for words in paragraphs for word in words)
    return "\\" in text and all(map(_is_plain, text)) and not _has_hard_quotes(text)


def _has_hard_quotes(text: str) -> bool:
    return '"""' in text or text.startswith('"') or text.endswith(('"', "\\"))


def _escaped(word: str) -> str:
    r"""Only by \u and \U: the linter wants a docstring with any other escape to be raw."""
    hard = {"\\", '"'} if _has_hard_quotes(word) else {"\\"}
    return "".join(
        _code(one, short=False) if one in hard or not _is_plain(one) else one for one in word
    )


def _summary(paragraphs: list[list[str]], room: int, signature: str) -> tuple[str, list[list[str]]]:
    """Take the first line: a paragraph, else its sentences that fit, else its words that fit."""
    words = paragraphs[0]
    fitting = 1
    while fitting < len(words) and _columns(" ".join(words[: fitting + 1])) <= room:
        fitting += 1
    if fitting < len(words):
        ends = [at for at in range(1, fitting + 1) if words[at - 1].endswith(_SENTENCE_END)]
        fitting = ends[-1] if ends else fitting
    first = " ".join(words[:fitting])
    if signature:  # the linter would take it for the signature of the function
        first = first.replace(signature, signature.replace("(", "\\u0028"))
    return first, [rest for rest in (words[fitting:], *paragraphs[1:]) if rest]


def _wrapped(words: list[str], room: int, pad: str) -> Iterator[str]:
    line = words[0]
    for word in words[1:]:
        if _columns(f"{line} {word}") > room:
            yield pad + line
            line = word
        else:
            line = f"{line} {word}"
    yield pad + line


def _is_plain(character: str) -> bool:
    """Whether it can stand in code as it is: what it shows is what it is."""
    if character.isascii():
        return character.isprintable()
    if character in _SIGNS:
        return True
    name = unicodedata.name(character, "")
    if not character.isalpha() or character in _AMBIGUOUS or not name.startswith(_SCRIPTS):
        return False
    return not name.startswith("LATIN ") or character <= _LAST_LATIN


def _printable(character: str) -> str:
    return character if character.isprintable() else _code(character, short=False)


def _code(character: str, *, short: bool = True) -> str:
    number = ord(character)
    if short and number <= 0xFF:  # noqa: PLR2004 - the last that two digits can say
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number <= 0xFFFF else f"\\U{number:08x}"  # noqa: PLR2004 - four digits


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)
