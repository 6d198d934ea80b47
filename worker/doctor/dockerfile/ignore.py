""".dockerignore: which files the build does not get. Source: moby/patternmatcher."""

import re
from collections.abc import Sequence


class Ignored:
    """The patterns of a .dockerignore; the last one that matches a path decides."""

    def __init__(self, text: str) -> None:
        lines = (line.strip() for line in text.splitlines() if not line.startswith("#"))
        self._patterns = [_pattern(line) for line in lines if line.strip("!/ ")]

    def __call__(self, path: str) -> bool:
        """Whether the file or folder at `path`, relative to the context, is left out."""
        parts = [part for part in path.split("/") if part not in ("", ".")]
        ignored = False
        for keep, pattern, _ in self._patterns:
            if _matches(pattern, parts):
                ignored = not keep
        return ignored

    def leaves_all_out(self, path: str) -> bool:
        """Whether nothing of the file or folder is left: no `!` pattern brings a part back."""
        if not self(path):
            return False
        below = path.strip("/.") + "/"
        return not any(keep and text.startswith(below) for keep, _, text in self._patterns)


def _matches(pattern: re.Pattern[str], parts: Sequence[str]) -> bool:
    """Whether the path, or a folder above it, matches."""
    return any(pattern.fullmatch("/".join(parts[: n + 1])) for n in range(len(parts)))


def _pattern(line: str) -> tuple[bool, re.Pattern[str], str]:
    keep = line.startswith("!")
    text = line.removeprefix("!").strip().strip("/").removeprefix("./")
    return keep, re.compile(_expression(text)), text


def _expression(text: str) -> str:
    """As a regular expression. `**` crosses folders, `*` and `?` do not."""
    found = ""
    at = 0
    while at < len(text):
        if text.startswith("**/", at):
            found, at = found + "(?:.*/)?", at + 3
        elif text.startswith("**", at):
            found, at = found + ".*", at + 2
        elif text[at] in "*?":
            found, at = found + ("[^/]*" if text[at] == "*" else "[^/]"), at + 1
        else:
            found, at = found + re.escape(text[at]), at + 1
    return found
