"""The real gcloud, led to the fake."""

import json
import os
import subprocess
from typing import Any

from tests.support.google import FakeGoogle
from tests.support.tools import tool

_SECONDS = 60.0
_KEPT = ("PATH", "HOME", "LANG")


class Gcloud:
    """`gcloud(...)` returns what it printed; `refused(...)` what it said when it failed."""

    def __init__(self, google: FakeGoogle) -> None:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._environment = kept | google.environment

    def __call__(self, *words: str) -> str:
        done = self._run(words)
        assert done.returncode == 0, f"gcloud {' '.join(words)}: {done.stderr}"
        return done.stdout.strip()

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--format=json"))

    def refused(self, *words: str) -> str:
        done = self._run(words)
        assert done.returncode != 0, f"gcloud {' '.join(words)}: {done.stdout}"
        assert "crashed" not in done.stderr, done.stderr
        return done.stderr

    def _run(self, words: tuple[str, ...]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [tool("gcloud"), *words], env=self._environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
