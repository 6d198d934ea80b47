"""Regular expressions as the service takes them: RE2, case-sensitive, not anchored.

Source: Logging query language, using regular expressions.
"""

import functools
from collections.abc import Callable
from typing import Any

import re2


class PatternError(ValueError):
    """RE2 does not take the pattern; str() says why."""


@functools.lru_cache(maxsize=256)
def compile_pattern(pattern: str) -> Any:
    """The compiled expression. Raises PatternError."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        why = error.args[0]
        raise PatternError(why.decode() if isinstance(why, bytes) else str(why)) from None
    except UnicodeEncodeError:
        raise PatternError("half of a surrogate pair is no character") from None


def finder(pattern: str) -> Callable[[str], bool]:
    """A function that says whether the pattern is somewhere in a text."""
    search = compile_pattern(pattern).search

    def find(text: str) -> bool:
        try:
            return search(text) is not None
        except UnicodeEncodeError:
            return search(_whole_characters(text)) is not None

    return find


def extractor(pattern: str) -> Callable[[str], str | None]:
    """A function that gives what the only group took at the first match; None without one."""
    search = compile_pattern(pattern).search

    def extract(text: str) -> str | None:
        try:
            match = search(text)
        except UnicodeEncodeError:
            match = search(_whole_characters(text))
        found: str | None = match.group(1) if match else None
        return found

    return extract


def groups(pattern: str) -> int:
    """Capture groups in the pattern. Raises PatternError."""
    number: int = compile_pattern(pattern).groups
    return number


def _whole_characters(text: str) -> str:
    """The text without halves of surrogate pairs: JSON may hold them, UTF-8 cannot."""
    return text.encode("utf-8", "replace").decode()
