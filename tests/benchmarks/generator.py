"""The load generator's process, from outside: a job in, a result out."""

import json
import subprocess
import sys
from dataclasses import asdict
from typing import Self

from tests.benchmarks.cores import Cores, running_on
from tests.benchmarks.failure import BenchmarkFailed
from tests.benchmarks.loadgen import Job, Result
from tests.support.server import ROOT


class Generator:
    """One process for the whole run, so that no message id comes twice."""

    def __init__(self, cores: Cores) -> None:
        with running_on(cores.client):
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.benchmarks.loadgen"],
                cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._process.communicate()  # its stdin ends, and so does it

    def run(self, job: Job) -> Result:
        """Run one job to its end. Raises BenchmarkFailed when the server does not play along."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(asdict(job)) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkFailed("the load generator ended")
        answer = json.loads(line)
        if "error" in answer:
            raise BenchmarkFailed(answer["error"])
        return Result(**answer)
