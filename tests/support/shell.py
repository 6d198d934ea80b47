"""The simple commands of a shell script, also those inside $(...), with variables filled in.

It reads what our docs, builds and printed scripts are written in: quotes, continued lines,
comments, pipes, assignments, redirections, here-documents. It is no shell: nothing is expanded but
variables, and what a substitution would print becomes a plausible word.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

_NAME = re.compile(r"\{?([A-Za-z_]\w*|[@*#?$!0-9-])")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=(.*)", re.DOTALL)
_HEREDOC = re.compile(r"<<(-?)[ \t]*(\\?)(['\"]?)([^\s'\";|&<>()]+)\3")
_KEYWORDS = frozenset(
    {"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}", "time"}
    | {"exec", "command", "export", "local", "readonly", "eval", "return"}
)
_ENDS = ";&|)\n"
_REDIRECTION = re.compile(r"[<>]+[&|]?")
_ESCAPED_IN_QUOTES = '"\\$`'

Filler = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Simple:
    """One command; `line` is where it begins, counted from 1. Assignments before it are gone."""

    line: int
    words: tuple[str, ...]


def commands(text: str, fill: Filler, variables: dict[str, str] | None = None) -> list[Simple]:
    """In the order in which they begin. `fill` gives a word for a variable that nobody assigned.

    It is asked for "NAME", for "NAME[@]", and for "SUBSTITUTED", which is what $(...) prints.
    `variables` are those assigned before, and gets those assigned here. Never raises: a quote that
    is left open ends with the text.
    """
    reader = _Reader(text, fill, {} if variables is None else variables)
    reader.read_list(0, "")
    return sorted(reader.found, key=lambda one: one.line)


@dataclass(slots=True)
class _Reader:
    text: str
    fill: Filler
    variables: dict[str, str]
    found: list[Simple] = field(default_factory=list)

    def read_list(self, at: int, end: str) -> int:
        """Commands until `end`, ")" or "`" or the end of the text; where it stopped."""
        current = _Current(self, at)
        while at < len(self.text):
            char = self.text[at]
            if end and char == end:
                break
            at = current.take(char, at)
        current.finish()
        return at + 1

    def line_of(self, at: int) -> int:
        return self.text.count("\n", 0, at) + 1

    def variable(self, name: str) -> str:
        known = self.variables.get(name)
        return self.fill(name) if known is None else known

    def assign(self, name: str, value: str) -> None:
        """What a substitution printed is not known: the name says more."""
        self.variables.pop(name, None)
        if value != self.fill("SUBSTITUTED"):
            self.variables[name] = value

    def expansion(self, at: int) -> tuple[str, int]:
        """The value of what begins with the $ at `at`, and where it ends."""
        if self.text.startswith("$((", at):
            end = self.text.find("))", at)
            return "1", len(self.text) if end < 0 else end + 2
        if self.text.startswith("$(", at):
            return self.fill("SUBSTITUTED"), self.read_list(at + 2, ")")
        found = _NAME.match(self.text, at + 1)
        if found is None:
            return "$", at + 1
        if self.text[at + 1] != "{":
            return self.variable(found[1]), found.end()
        every = self.text[found.end() : found.end() + 3]
        name = found[1] + (every if every in ("[@]", "[*]") else "")
        return self.variable(name), self._closing(found.end())

    def _closing(self, at: int) -> int:
        """Behind the brace that closes the one before `at`."""
        depth = 1
        while depth and at < len(self.text):
            depth += {"{": 1, "}": -1}.get(self.text[at], 0)
            at += 1
        return at

    def quoted(self, at: int) -> tuple[str, int]:
        """What stands in the double quotes that open at `at`, and where they end."""
        value, at = "", at + 1
        while at < len(self.text) and self.text[at] != '"':
            piece, at = self._quoted_piece(at)
            value += piece
        return value, at + 1

    def _quoted_piece(self, at: int) -> tuple[str, int]:
        char, following = self.text[at], self.text[at + 1 : at + 2]
        if char == "$":
            return self.expansion(at)
        if char == "`":
            return self.fill("SUBSTITUTED"), self.read_list(at + 1, "`")
        if char == "\\" and following == "\n":
            return "", at + 2
        if char == "\\" and following and following in _ESCAPED_IN_QUOTES:
            return following, at + 2
        return char, at + 1


class _Current:
    """The command that is being read."""

    def __init__(self, reader: _Reader, at: int) -> None:
        self._reader = reader
        self._text = reader.text
        self._words: list[str] = []
        self._word: str | None = None
        self._start = at
        self._target = False  # the next word is a file that is read or written
        self._bodies: list[tuple[str, bool]] = []  # here-documents that begin on the next line

    def take(self, char: str, at: int) -> int:
        """What begins with this character; where it ends."""
        if char in " \t":
            self._end_word()
            return at + 1
        if char in _ENDS:
            self.finish()
            return self._skip_bodies(at + 1) if char == "\n" else at + 1
        if char == "(":
            self.finish()
            return self._reader.read_list(at + 1, ")")
        if char in "<>":
            return self._redirect(at)
        if char == "#" and self._word is None:
            end = self._text.find("\n", at)
            return len(self._text) if end < 0 else end
        piece, end = self._piece(char, at)
        self._add(piece, at)
        return end

    def _piece(self, char: str, at: int) -> tuple[str | None, int]:
        """Part of a word, None for a line that goes on."""
        if char == "\\":
            following = self._text[at + 1 : at + 2]
            return (None if following == "\n" else following), at + 2
        if char == "'":
            end = self._text.find("'", at + 1)
            end = len(self._text) if end < 0 else end
            return self._text[at + 1 : end], end + 1
        if char == '"':
            return self._reader.quoted(at)
        if char == "$":
            return self._reader.expansion(at)
        if char == "`":
            return self._reader.fill("SUBSTITUTED"), self._reader.read_list(at + 1, "`")
        return char, at + 1

    def _add(self, piece: str | None, at: int) -> None:
        if piece is None:
            return
        if not self._words and self._word is None:
            self._start = at
        self._word = (self._word or "") + piece

    def _redirect(self, at: int) -> int:
        """The number before it and the file after it are no words of the command."""
        if self._word is not None and self._word.isdigit():
            self._word = None
        self._end_word()
        if self._text.startswith("<(", at) or self._text.startswith(">(", at):
            end = self._reader.read_list(at + 2, ")")
            self._add(self._reader.fill("FILE"), at)
            return end
        if self._text.startswith("<<<", at):
            self._target = True
            return at + 3
        if found := _HEREDOC.match(self._text, at):
            self._bodies.append((found[4], bool(found[1])))
            return found.end()
        self._target = True
        operator = _REDIRECTION.match(self._text, at)
        assert operator is not None
        return operator.end()

    def _skip_bodies(self, at: int) -> int:
        for end, indented in self._bodies:
            tabs = "\t*" if indented else ""
            found = re.compile(rf"^{tabs}{re.escape(end)}$", re.MULTILINE).search(self._text, at)
            at = found.end() if found else len(self._text)
        self._bodies.clear()
        return at

    def _end_word(self) -> None:
        word, self._word = self._word, None
        if word is None:
            return
        if self._target:
            self._target = False
            return
        assigned = None if self._words else _ASSIGNMENT.fullmatch(word)
        if assigned:
            self._reader.assign(assigned[1], assigned[2])
        elif self._words or word not in _KEYWORDS:
            self._words.append(word)

    def finish(self) -> None:
        """The command ends here."""
        self._end_word()
        self._target = False
        if self._words:
            line = self._reader.line_of(self._start)
            self._reader.found.append(Simple(line, tuple(self._words)))
        self._words = []
