"""Walks over a shell script and collects its commands; worker/doctor/shell.py says what for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

UNKNOWN = "\ufffd"  # stands in a word for what only the running script knows
_DEEPEST = 40  # substitutions in each other
_KEYWORDS = (
    "if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}", "time",
    "exec", "command", "for", "in", "case", "esac",
)  # fmt: skip
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)\+?=$")
_SET = re.compile(r"[A-Za-z_]\w*\+?=")
_EXPANSION = re.compile(r"\$(?:\{([^}]*)\}|(\w+)|[@*#?$!-])")
_ARRAY = re.compile(r"^([A-Za-z_]\w*)\[[@*]\]")
_REDIRECT = re.compile(r"\d*[<>]+[&|]?")


@dataclass(frozen=True, slots=True)
class Command:
    """One simple command, its words as the program gets them; `line` counts from 1."""

    words: tuple[str, ...]
    line: int


class Scanner:
    """Reads each character once. Words of arrays are remembered for `"${name[@]}"`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._words: list[str] = []
        self._line = 1
        self._arrays: dict[str, list[str]] = {}
        self._closing: list[str] = []  # of the substitutions that are open
        self.found: list[Command] = []

    def run(self, until: str) -> None:
        """Read commands up to the character `until`, or to the end."""
        outer, self._words = self._words, []
        outer_line = self._line
        self._closing.append(until)
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == until:
                self._at += 1
                break
            self._step(char)
        self._end_command()
        self._closing.pop()
        self._words, self._line = outer, outer_line

    def _step(self, char: str) -> None:
        if char in " \t\r":
            self._at += 1
        elif self._text.startswith("\\\n", self._at):
            self._at += 2
        elif char == "#":
            end = self._text.find("\n", self._at)
            self._at = end if end >= 0 else len(self._text)
        elif char in "\n;|&)":
            self._at += 1
            self._end_command()
        elif char == "(":
            self._at += 1
            self._open()
        elif match := _REDIRECT.match(self._text, self._at):
            self._at = match.end()
            self._skip_target()
        else:
            self._add_words()

    def _open(self) -> None:
        """A group of commands, or the words of `name=(...)`."""
        match = _ASSIGNMENT.search(" ".join(self._words[-1:]))
        if not match:
            self._end_command()
            return
        self._words.pop()
        kept, self._words = self._words, []
        while self._at < len(self._text) and self._text[self._at] != ")":
            if self._text[self._at] in "\n;|&(":
                self._at += 1
            else:
                self._step(self._text[self._at])
        self._at += 1
        self._arrays.setdefault(match[1], []).extend(self._words)
        self._words = kept

    def _skip_target(self) -> None:
        while self._text[self._at : self._at + 1] in (" ", "\t"):
            self._at += 1
        if self._text[self._at : self._at + 1] not in ("", "\n"):
            for _ in self._word():
                pass

    def _add_words(self) -> None:
        if not self._words:
            self._line = self._text.count("\n", 0, self._at) + 1
        self._words += self._word()

    def _end_command(self) -> None:
        words = self._words
        self._words = []
        while words and (words[0] in _KEYWORDS or _SET.match(words[0])):
            words = words[1:]
        if words:
            self.found.append(Command(tuple(words), self._line))

    def _word(self) -> Iterator[str]:
        """The words that the next piece of text without spaces becomes: an array's are many."""
        start, word, quoted = self._at, "", False
        arrays: list[str] = []
        stop = " \t\r\n;|&()<>" + self._closing[-1]
        while self._at < len(self._text) and self._text[self._at] not in stop:
            char = self._text[self._at]
            quoted = quoted or char in "'\""
            word += self._piece(char, arrays)
        self._at += self._at == start  # what cannot begin a word
        if arrays and not word.strip(UNKNOWN):
            yield from arrays
        elif word.strip(UNKNOWN) or (quoted and not arrays):
            yield word

    def _piece(self, char: str, arrays: list[str]) -> str:
        if char == "'":
            return self._single()
        if char == '"':
            return self._double(arrays)
        if char == "\\":
            self._at += 2
            return self._text[self._at - 1 : self._at].replace("\n", "")
        if char in "$`":
            return self._dollar(arrays)
        self._at += 1
        return char

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        end = end if end >= 0 else len(self._text)
        text = self._text[self._at + 1 : end]
        self._at = end + 1
        return text

    def _double(self, arrays: list[str]) -> str:
        self._at += 1
        text = ""
        while self._at < len(self._text) and self._text[self._at] != '"':
            char = self._text[self._at]
            if char in "$`\\":
                text += self._piece(char, arrays)
            else:
                text += char
                self._at += 1
        self._at += 1
        return text

    def _dollar(self, arrays: list[str]) -> str:
        """A substitution or an expansion: UNKNOWN; the commands inside are found as well."""
        if self._text.startswith("$((", self._at):
            end = self._text.find("))", self._at)
            self._at = end + 2 if end >= 0 else len(self._text)
            return UNKNOWN
        if len(self._closing) > _DEEPEST:
            self._at = len(self._text)
            return UNKNOWN
        if self._text.startswith("$(", self._at) or self._text[self._at] == "`":
            closing = "`" if self._text[self._at] == "`" else ")"
            self._at += 1 + (closing == ")")
            self.run(closing)
            return UNKNOWN
        match = _EXPANSION.match(self._text, self._at)
        if not match:
            self._at += 1
            return "$"
        self._at = match.end()
        if array := _ARRAY.match(match[1] or ""):
            arrays += self._arrays.get(array[1], [])
        return UNKNOWN
