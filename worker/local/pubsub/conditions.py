"""What a filter of a subscription is made of, once it is parsed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

_NAME = re.compile(r"[A-Za-z0-9_-]+")


class Filter(Protocol):
    """A part of a filter. `str` prints it such that `parse` gives the same tree."""

    def matches(self, attributes: Mapping[str, str], /) -> bool:
        """Is a message with these attributes delivered?"""


@dataclass(frozen=True, slots=True)
class Has:
    """There is such an attribute, whatever its value."""

    key: str

    def __str__(self) -> str:
        return f"attributes:{_key(self.key)}"

    def matches(self, attributes: Mapping[str, str]) -> bool:  # noqa: D102 - see Filter
        return self.key in attributes


@dataclass(frozen=True, slots=True)
class Equals:
    """There is such an attribute, and this is its value."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"attributes.{_key(self.key)} = {_quote(self.value)}"

    def matches(self, attributes: Mapping[str, str]) -> bool:  # noqa: D102 - see Filter
        return attributes.get(self.key) == self.value


@dataclass(frozen=True, slots=True)
class Differs:
    """There is no such attribute with this value: true where the attribute is missing."""

    key: str
    value: str

    def __str__(self) -> str:
        return f"attributes.{_key(self.key)} != {_quote(self.value)}"

    def matches(self, attributes: Mapping[str, str]) -> bool:  # noqa: D102 - see Filter
        return attributes.get(self.key) != self.value


@dataclass(frozen=True, slots=True)
class Prefixed:
    """There is such an attribute, and its value begins so."""

    key: str
    prefix: str

    def __str__(self) -> str:
        return f"hasPrefix(attributes.{_key(self.key)}, {_quote(self.prefix)})"

    def matches(self, attributes: Mapping[str, str]) -> bool:  # noqa: D102 - see Filter
        return self.key in attributes and attributes[self.key].startswith(self.prefix)


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite."""

    of: Filter

    def __str__(self) -> str:
        return f"NOT {_enclosed(self.of)}"

    def matches(self, attributes: Mapping[str, str]) -> bool:  # noqa: D102 - see Filter
        return not self.of.matches(attributes)


@dataclass(frozen=True, slots=True)
class All:
    """Each of them."""

    of: tuple[Filter, ...]

    def __str__(self) -> str:
        return " AND ".join(map(_enclosed, self.of))

    def matches(self, attributes: Mapping[str, str]) -> bool:  # noqa: D102 - see Filter
        return all(one.matches(attributes) for one in self.of)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of them."""

    of: tuple[Filter, ...]

    def __str__(self) -> str:
        return " OR ".join(map(_enclosed, self.of))

    def matches(self, attributes: Mapping[str, str]) -> bool:  # noqa: D102 - see Filter
        return any(one.matches(attributes) for one in self.of)


def _quote(text: str) -> str:
    return '"' + "".join(_escaped(character) for character in text) + '"'


def _escaped(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    return character if character.isprintable() else f"\\U{ord(character):08x}"


def _key(key: str) -> str:
    return key if _NAME.fullmatch(key) else _quote(key)


def _enclosed(part: Filter) -> str:
    return f"({part})" if isinstance(part, (All, Either)) else str(part)
