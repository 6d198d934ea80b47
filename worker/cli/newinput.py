"""What `--requirements` of `python -m worker new` may be: a file, JSON, a sentence."""

import sys
from pathlib import Path

from pydantic import JsonValue
from pydantic_core import from_json

from worker.cli import fail


def read_requirements(given: str) -> JsonValue:
    """JSON where it is JSON, else the text. The text is that of the file, if there is one.

    What begins like an object or a list has to be JSON: a forgotten brace makes no sentence.
    """
    text = _text(given).strip()
    try:
        value: JsonValue = from_json(text, allow_inf_nan=False)
    except ValueError as error:
        if text.startswith(("{", "[")):
            fail(f"--requirements is no JSON: {error}")
        return text
    return value


def _text(given: str) -> str:
    try:
        if given == "-":
            return sys.stdin.buffer.read().decode()
        if _is_file(given):
            return Path(given).read_text(encoding="utf-8")
    except OSError as error:
        fail(f"cannot read the file of --requirements: {error.strerror}")
    except UnicodeDecodeError:
        fail("--requirements is not UTF-8 text")
    return given


def _is_file(given: str) -> bool:
    try:
        return Path(given).is_file()
    except (OSError, ValueError):  # too long for a name, or with a NUL
        return False
