"""The filter of a subscription: text in, a tree that says which messages it delivers.

Source: cloud.google.com/pubsub/docs/subscription-message-filter.
"""

import re
from functools import cache
from pathlib import Path

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from worker.local.pubsub.conditions import (
    All,
    Differs,
    Either,
    Equals,
    Filter,
    Has,
    Not,
    Prefixed,
)

LONGEST_BYTES = 256
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|[xX]([0-9A-Fa-f]{2})|([0-3][0-7]{2})"
    r"|([abfnrtv])|([\\\"'`?]))"
)


class FilterError(ValueError):
    """A filter that cannot be used. The text says why and where."""


def parse(text: str) -> Filter:
    """The tree of a filter that is not empty. Raises FilterError."""
    size = len(text.encode(errors="replace"))
    if size > LONGEST_BYTES:
        raise FilterError(f"it has {size} bytes, and the maximum is {LONGEST_BYTES}")
    try:
        return _Build().transform(_parser().parse(text))
    except UnexpectedInput as error:
        raise FilterError(_reason(text, error)) from None
    except VisitError as error:  # lark's wrapping of what a method of _Build raises
        raise error.orig_exc from None


@cache
def _parser() -> Lark:
    grammar = Path(__file__).with_name("filter.lark").read_text(encoding="utf-8")
    return Lark(grammar, parser="lalr", maybe_placeholders=False)


@v_args(inline=True)
class _Build(Transformer[Token, Filter]):
    """Makes the tree from the grammar's."""

    has = Has
    key = staticmethod(str)

    def NAME(self, token: Token) -> str:  # noqa: N802 - the terminal's name
        return str(token)

    def STRING(self, token: Token) -> str:  # noqa: N802 - the terminal's name
        return _unquote(token)

    def equals(self, key: str, value: str) -> Filter:
        return Equals(key, value)

    def differs(self, key: str, value: str) -> Filter:
        return Differs(key, value)

    def prefixed(self, key: str, prefix: str) -> Filter:
        return Prefixed(key, prefix)

    def negation(self, _: Token, of: Filter) -> Filter:
        return Not(of)

    def conjunction(self, *parts: Filter) -> Filter:
        return All(parts[::2])

    def disjunction(self, *parts: Filter) -> Filter:
        return Either(parts[::2])


def _reason(text: str, error: UnexpectedInput) -> str:
    position = error.pos_in_stream
    if position is None or position >= len(text.rstrip()) or getattr(error, "token", None) == "":
        return "it ends too early"
    word = re.match(r"[\w-]+|.", text[position:], re.DOTALL)
    found = word.group() if word else ""
    if found in {"AND", "OR"} and any(f" {other} " in text for other in {"AND", "OR"} - {found}):
        return f"AND and OR need parentheses where they are mixed, at position {position + 1}"
    return f"unexpected {found!r} at position {position + 1}"


def _unquote(token: Token) -> str:
    """The text that a string literal stands for. Raises FilterError."""
    inner = str(token)[1:-1]
    if "\\" in _ESCAPE.sub("", inner):
        position = (token.start_pos or 0) + 1
        raise FilterError(f"an unknown escape in the string at position {position}")
    return _ESCAPE.sub(_character, inner)


def _character(escape: re.Match[str]) -> str:
    four, eight, hexadecimal, octal, simple, itself = escape.groups()
    if simple:
        return _SIMPLE[simple]
    if itself:
        return str(itself)
    code = int(octal, 8) if octal else int(four or eight or hexadecimal, 16)
    try:
        character = chr(code)
        character.encode()  # fails for half of a surrogate pair
    except (ValueError, OverflowError):
        raise FilterError("an escape in a string is no character of Unicode") from None
    return character
