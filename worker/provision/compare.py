"""What differs between a resource as it should be and as an API shows it."""

import re
from collections.abc import Mapping
from typing import Any

_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?)s?")  # or a duration in seconds


def same(wanted: Any, found: Any) -> bool:
    """Whether `found` has all of `wanted`.

    It may have more: what the API adds. What is at its default may be left out by the API, and a
    number may come as text. Lists are compared item by item.
    """
    if isinstance(wanted, Mapping):
        found = found or {}
        return isinstance(found, Mapping) and all(
            same(value, found.get(name)) for name, value in wanted.items()
        )
    if isinstance(wanted, list):
        found = found or []
        return (
            isinstance(found, list) and len(wanted) == len(found) and all(map(same, wanted, found))
        )
    return bool(plain(wanted) == plain(found))


def plain(value: Any) -> Any:
    """A scalar in the one form that all its forms have: "10.000s" is 10, and a default is None."""
    if isinstance(value, str) and (match := _NUMBER.fullmatch(value)):
        value = float(match[1])
    return value or None


def differing(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """The names of the fields of `wanted` that `found` does not have so."""
    return [name for name, value in wanted.items() if not same(value, found.get(name))]
