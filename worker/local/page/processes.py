"""Commands that the page runs as processes of their own.

So they have the handlers as they are on the disk now, the worker's environment, and no way to stop
the page, whatever a handler file does.
"""

import json
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from worker.client.text import printable

_SECONDS = 60.0  # that a command may take
_SHOWN = 500  # characters of what went wrong


class CommandFailed(Exception):
    """A command did not do it. One line: why, in its own words."""


@dataclass(frozen=True, slots=True)
class Commands:
    """Runs `python -m WORDS` with this environment, in the current folder."""

    environment: Mapping[str, str]

    def run(
        self,
        words: Sequence[str],
        *,
        stdin: bytes = b"",
        codes: Collection[int] = (0,),
        seconds: float = _SECONDS,
    ) -> str:
        """What it says on stdout. Raises CommandFailed for another exit code than `codes`."""
        try:
            ended = subprocess.run(  # noqa: S603 - our own program; its words are no shell's
                [sys.executable, "-m", *words],
                env={**self.environment, "PYTHONUTF8": "1"},
                input=stdin,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise CommandFailed(f"it took more than {seconds:.0f} s and was ended") from None
        except (OSError, ValueError) as error:  # a word too long, or one with a NUL
            raise CommandFailed(f"it cannot be started: {_cause(error)}") from None
        if ended.returncode not in codes:
            raise CommandFailed(_reason(ended.stderr, ended.returncode))
        return ended.stdout.decode("utf-8", "replace")

    def json(
        self, words: Sequence[str], *, stdin: bytes = b"", codes: Collection[int] = (0,)
    ) -> Any:
        """The JSON that it says. Raises CommandFailed."""
        try:
            return json.loads(self.run(words, stdin=stdin, codes=codes))
        except (ValueError, RecursionError):
            raise CommandFailed("it answered what cannot be read") from None


def _cause(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or error)


def _reason(said: bytes, code: int) -> str:
    """The error, without what led to it: of a traceback, too, it is the last line."""
    lines = said.decode("utf-8", "replace").strip().splitlines()
    last = printable(lines[-1])[:_SHOWN] if lines else ""
    if last.startswith("error: "):
        return last.removeprefix("error: ")
    return f"{last} (exit code {code})".strip()
