"""The pieces that the grammar hands over: words and calls, with their places."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from worker.local.lql.errors import Problem, shown
from worker.local.lql.text import unquote

if TYPE_CHECKING:
    from lark import Token

_PART = re.compile(r'("(?:\\.|[^"\\])*"|[^."]+)(?:\.|$)', re.DOTALL)
_NAME = re.compile(r"[\w@$-]+")


@dataclass(frozen=True)
class Call:
    """A function's name and what is in its parentheses."""

    name: "Token"
    arguments: "tuple[Token | Call, ...]"
    depth: int = field(init=False)

    def __post_init__(self) -> None:
        inner = (one.depth for one in self.arguments if isinstance(one, Call))
        object.__setattr__(self, "depth", 1 + max(inner, default=0))


def position_of(piece: "Token | Call") -> int:
    """Where it begins."""
    token = piece.name if isinstance(piece, Call) else piece
    return token.start_pos or 0


def is_quoted(token: "Token") -> bool:
    """Whether it is text in double quotes."""
    return token.type == "STRING"


def text_of(token: "Token") -> str:
    """The text of a value. Raises Problem for a word with parts in quotes, which is a path."""
    if is_quoted(token):
        return unquote(str(token))
    if '"' in token:
        hint = "a value is in double quotes as a whole, or not at all"
        raise Problem(f"unexpected {shown(str(token))}", hint, position_of(token))
    return str(token)


def names_of(token: "Token") -> tuple[str, ...]:
    """The names in a path. Raises Problem for characters that belong in quotes."""
    names = []
    for match in _PART.finditer(str(token)):
        part = match[1]
        if part.startswith('"'):
            part = unquote(part)
        elif not _NAME.fullmatch(part):
            hint = f'put a name with other characters in double quotes, "{part[:40]}"'
            place = position_of(token) + match.start()
            raise Problem(f"unexpected name {shown(part)}", hint, place)
        names.append(part)
    return tuple(names)
