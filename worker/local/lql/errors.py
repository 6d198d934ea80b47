"""How a filter is refused: what is wrong, where it is, what to write instead."""

from dataclasses import dataclass

_SHOWN = 40  # characters of the filter's own words in an error


@dataclass
class Problem(Exception):
    """What is wrong `position` characters into the filter, and what to write instead.

    It becomes a FilterError where the text is at hand.
    """

    what: str
    hint: str
    position: int


class FilterError(ValueError):
    """A filter that cannot be evaluated. str() is one sentence for the caller, with the place.

    `reason` is that sentence without the place, `position` counts characters from 0; `line` and
    `column` count from 1.
    """

    def __init__(self, problem: Problem, text: str) -> None:
        self.position = min(problem.position, len(text))
        before = text[: self.position]
        self.line = before.count("\n") + 1
        self.column = self.position - before.rfind("\n")
        self.reason = f"{problem.what}: {problem.hint}"
        place = f"at line {self.line}, column {self.column}"
        super().__init__(f"{problem.what} {place}: {problem.hint}")


def shown(text: str) -> str:
    """The filter's own words as an error repeats them: quoted, on one line, not too long."""
    words = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return '"' + "".join(c if c.isprintable() else " " for c in words) + '"'
