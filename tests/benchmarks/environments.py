"""A virtual environment for each peer, made from its lock and kept until that changes."""

import os
import subprocess
import sys
from collections.abc import Iterable

from tests.benchmarks.contestants import Contestant
from tests.benchmarks.failure import NoEnvironment
from tests.support.server import ROOT


def make(contestants: Iterable[Contestant]) -> None:
    """Make what is missing or out of date, with this interpreter. Raises NoEnvironment."""
    environments = {one.venv: one.lock for one in contestants if one.lock is not None}
    for venv, lock in environments.items():
        command = [str(path.relative_to(ROOT)) for path in (venv, lock)]
        done = subprocess.run(
            [str(ROOT / "scripts" / "make-venv"), *command],
            cwd=ROOT, env={**os.environ, "PYTHON": sys.executable}, stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
        sys.stderr.write(done.stderr.partition("\n")[0] + "\n" if done.stderr else "")
        if done.returncode != 0:
            last = done.stderr.strip().rpartition("\n")[2]
            raise NoEnvironment(f"cannot make {command[0]}: {last}")
