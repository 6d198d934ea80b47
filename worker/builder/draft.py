"""What was generated for an order, and what was checked of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from worker.builder.order import Order
from worker.builder.wanted import Wanted


@dataclass(frozen=True, slots=True)
class Draft:
    """The files of a feature (path -> text) without the report, not verified yet.

    `integration` is what is left to do: steps, or for the target fastapi the lines to add to
    petsage/main.py.
    """

    order: Order
    wanted: Wanted
    files: Mapping[str, str]
    integration: tuple[str, ...]

    @property
    def digest(self) -> str:
        """Of the names and contents of all files, as sha256 in hexadecimal digits."""
        every = hashlib.sha256()
        for name, text in sorted(self.files.items()):
            every.update(f"{name}\0{hashlib.sha256(text.encode()).hexdigest()}\n".encode())
        return every.hexdigest()


@dataclass(frozen=True, slots=True)
class Check:
    """A check that the files passed, and the command that repeats it."""

    name: str
    command: str
