"""Objects that fail when somebody only looks at them."""

from typing import Any, NoReturn


class Hostile:
    """Every way of turning it into text raises, and so does asking for an attribute it lacks."""

    def __init__(self, error: type[BaseException] = ValueError) -> None:
        self._error = error

    def _fail(self, *_: Any) -> NoReturn:
        raise self._error("no")

    __str__ = __repr__ = __format__ = __getattr__ = _fail


class HostileError(Exception):
    """An exception whose text cannot be had."""

    def __str__(self) -> NoReturn:
        raise ValueError("no")

    __repr__ = __str__
