"""What every experiment needs: start a server, load it, keep what was measured."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.benchmarks.connection import ID_MARK
from tests.benchmarks.contestants import Contestant
from tests.benchmarks.cores import Cores
from tests.benchmarks.failure import BenchmarkFailed
from tests.benchmarks.generator import Generator
from tests.benchmarks.loadgen import Job, Result
from tests.benchmarks.messages import Push, push, usual_body
from tests.benchmarks.plan import Limit, Plan
from tests.benchmarks.process import cpu_seconds
from tests.benchmarks.results import Experiment, Sample
from tests.benchmarks.servers import Server

CONNECTIONS = 8
DECIMALS = 4  # of the figures that are kept


@dataclass(frozen=True)
class Case:
    """One load. With `may_overload`, 429 is no error."""

    experiment: Experiment
    name: str
    body: str
    limit: Limit
    connections: int = CONNECTIONS
    may_overload: bool = False


@dataclass(frozen=True)
class Bench:
    """A run under way. `certs` is where the certificates for `tokens` are served.

    `everywhere` is what to replace `cores` by where servers and load shall share them.
    """

    plan: Plan
    cores: Cores
    everywhere: Cores
    folder: Path
    generator: Generator
    certs: str
    tokens: tuple[str, ...]
    samples: list[Sample]
    probes: Iterator[int]  # message ids of the pushes that wait for a server's start

    @contextmanager
    def server(self, contestant: Contestant) -> Iterator[Server]:
        """A server that answers pushes."""
        with self.starting(contestant) as server:
            server.wait_for_answer(self.probe(contestant))
            yield server

    @contextmanager
    def starting(self, contestant: Contestant) -> Iterator[Server]:
        """A server that has just been spawned."""
        with Server(contestant, self.folder, self.certs, self.cores) as server:
            yield server

    def probe(self, contestant: Contestant) -> bytes:
        """One small push."""
        sent = self.push(contestant, usual_body())
        text = sent.heads[0] + sent.body
        return text.replace(ID_MARK, f"{next(self.probes):016d}").encode()

    def push(self, contestant: Contestant, body: str) -> Push:
        """What is pushed to that server: always with the same token."""
        return push(body, self.tokens[0], headers=contestant.headers)

    def measure(self, server: Server, case: Case, sent: Push | None = None) -> Sample:
        """Load the server, after a moment of the same that is not counted."""
        sent = sent or self.push(server.contestant, case.body)
        self.load(server, replace(case, limit=self.plan.warm_up), sent)
        return self.load(server, case, sent)

    def load(self, server: Server, case: Case, sent: Push | None = None) -> Sample:
        """Load the server. Raises BenchmarkFailed when a push is not answered as it should be."""
        sent = sent or self.push(server.contestant, case.body)
        job = Job(
            server.port, case.connections, sent.heads, sent.body,
            case.limit.requests, case.limit.seconds,
        )  # fmt: skip
        before = cpu_seconds(server.pid)
        try:
            result = self.generator.run(job)
        except BenchmarkFailed as failed:
            raise BenchmarkFailed(f"{_place(server.contestant.title, case)}: {failed}") from None
        cpu = cpu_seconds(server.pid) - before
        check(result, server.contestant.title, case)
        return Sample(
            experiment=case.experiment, case=case.name, who=server.contestant.name,
            figures=figures_of(result, cpu),
        )  # fmt: skip

    def keep(self, sample: Sample, **more: float) -> None:
        """Add the sample to the run."""
        figures = {
            name: round(value, DECIMALS) for name, value in {**sample.figures, **more}.items()
        }
        self.samples.append(sample.model_copy(update={"figures": figures}))

    def say(self, what: str) -> None:
        """Tell the person who waits."""
        sys.stderr.write(f"bench: {what}\n")


def figures_of(result: Result, cpu: float) -> dict[str, float]:
    """The figures of one load; `cpu` is the server's, in seconds."""
    ok = sum(number for status, number in result.statuses.items() if status.startswith("2"))
    sent = sum(result.statuses.values())
    return {
        "ok": ok,
        "overloaded": result.statuses.get("429", 0),
        "other": sent - ok - result.statuses.get("429", 0),
        "seconds": result.seconds,
        "per_second": ok / result.seconds,
        "cpu_us": cpu / max(ok, 1) * 1e6,
        "p50_ms": result.p50 * 1e3,
        "p99_ms": result.p99 * 1e3,
        "p999_ms": result.p999 * 1e3,
        "client_us": result.client_cpu_seconds / max(sent, 1) * 1e6,
        "client_busy": result.client_cpu_seconds / result.seconds,
    }


def check(result: Result, title: str, case: Case) -> None:
    """Raises BenchmarkFailed unless every push was answered as it should be."""
    fine = {status for status in result.statuses if status.startswith("2")}
    wrong = set(result.statuses) - fine - ({"429"} if case.may_overload else set())
    if wrong or not fine:
        counts = ", ".join(f"{number} x {status}" for status, number in result.statuses.items())
        raise BenchmarkFailed(f"{_place(title, case)}: answered {counts or 'nothing'}")


def _place(title: str, case: Case) -> str:
    return f"{title}, {case.experiment} {case.name}"
