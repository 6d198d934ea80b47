"""What a comparison finds, and how its places and values are named."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from worker.explain import shorten

_SHOWN = 6  # values named in a sentence
KINDS = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "a whole number",
    "number": "a number with a fraction",
    "string": "a string",
    "array": "a list",
    "object": "an object",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was valid and is not: `path` names the fields down to it."""

    path: tuple[str, ...]
    sentence: str

    def below(self, *parts: str) -> "Finding":
        """The same, seen from further up."""
        return Finding((*parts, *self.path), self.sentence)

    @property
    def place(self) -> str:
        """`requirements.pets[].name`; "" for the whole."""
        joined = "".join(part if part[0] == "[" else f".{part}" for part in self.path)
        return joined.removeprefix(".")

    def __str__(self) -> str:
        return f"{self.place}: {self.sentence}" if self.path else self.sentence


def found(sentence: str, *path: str) -> list[Finding]:
    """One finding."""
    return [Finding(path, sentence)]


def field(name: str) -> str:
    """A field's name as a part of a path."""
    return shorten(name) or '""'


def no_longer(values: Sequence[Any]) -> str:
    """That these values of a schema are not taken any more."""
    texts = [shorten(json.dumps(one, ensure_ascii=False), 40) for one in values[:_SHOWN]]
    if len(values) > _SHOWN:
        texts.append(f"{len(values) - _SHOWN} more")
    return f"{_listed(texts)} no longer taken"


def refused(kinds: Sequence[str], wanted: Sequence[str]) -> str:
    """That values of these kinds are not taken any more."""
    now = f" (want {' or '.join(_named(wanted))})" if wanted else ""
    return f"{_listed(_named(kinds))} no longer taken{now}"


def _named(kinds: Sequence[str]) -> list[str]:
    both = {"integer", "number"} <= set(kinds)
    names = {**KINDS, "number": "a number"} if both else KINDS
    return [names[kind] for kind in kinds if not both or kind != "integer"]


def _listed(texts: Sequence[str]) -> str:
    *first, last = texts
    return f"{', '.join(first)} and {last} are" if first else f"{last} is"
