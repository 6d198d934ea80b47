"""The load generator, a process of its own: one job a line on stdin, one result a line on stdout.

One thread, epoll, a closed loop: each connection sends its next push when the last is answered.
Standard library only, and little of it, so that the server stays the bottleneck.
"""

import gc
import json
import sys
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count

from tests.benchmarks.connection import Connection, LoadFailed, Poller, Requests
from tests.benchmarks.http1 import Answer, BadAnswer
from tests.benchmarks.stats import percentile

PAUSE_NS = 100_000_000  # after a 429: Pub/Sub's shortest push backoff is 100 ms
STALL_NS = 30_000_000_000  # without any answer
_TOO_MANY = 429
_OK = range(200, 300)


@dataclass(frozen=True)
class Job:
    """Push until `requests` are sent or `seconds` have passed, whichever comes first."""

    port: int
    connections: int
    heads: list[str]  # see Requests
    body: str
    requests: int
    seconds: float


@dataclass(frozen=True)
class Result:
    """What came back. Times are in seconds; the percentiles are those of the 2xx answers."""

    statuses: dict[str, int]
    seconds: float  # from the first request to the last answer
    p50: float
    p99: float
    p999: float
    client_cpu_seconds: float  # of this process


class Load:
    """One job under way."""

    def __init__(self, job: Job, ids: Iterator[int]) -> None:
        self._job = job
        self._ids = ids
        self._poller = Poller()
        requests = Requests(job.heads, job.body)
        self._connections = [
            Connection(job.port, requests, self._poller) for _ in range(job.connections)
        ]
        self._paused: deque[tuple[int, Connection]] = deque()  # due (ns), the earliest first
        self._left = job.requests
        self._until = 0  # ns
        self._in_flight = 0
        self._latencies: list[int] = []  # ns
        self._statuses: Counter[int] = Counter()

    def run(self) -> Result:
        """Run the job. Raises LoadFailed."""
        cpu, started = time.process_time(), time.monotonic_ns()
        self._until = started + int(self._job.seconds * 1e9)
        try:
            for connection in self._connections:
                self._push(connection)
            while self._in_flight or self._paused:
                self._step()
        except (BadAnswer, OSError) as error:
            raise LoadFailed(str(error)) from None
        finally:
            for connection in self._connections:
                connection.close()
            self._poller.close()
        seconds = (time.monotonic_ns() - started) / 1e9
        return self._result(seconds, time.process_time() - cpu)

    def _push(self, connection: Connection) -> None:
        """Send the next push on this connection, if there is one to send."""
        now = time.monotonic_ns()
        if not self._is_over(now):
            self._left -= 1
            self._in_flight += 1
            connection.push(next(self._ids), now)

    def _is_over(self, now: int) -> bool:
        return self._left <= 0 or now >= self._until

    def _step(self) -> None:
        """Handle what has happened; wait for it if nothing has."""
        now = time.monotonic_ns()
        if self._is_over(now):
            self._paused.clear()
        while self._paused and self._paused[0][0] <= now:
            self._push(self._paused.popleft()[1])
        if not self._in_flight and not self._paused:
            return
        due = min(self._paused[0][0], self._until) if self._paused else now + STALL_NS
        ready = self._poller.wait(max(0, due - now) / 1e9)
        if not ready and not self._paused:
            raise LoadFailed(f"no answer within {STALL_NS / 1e9:.0f} s")
        for connection, readable, writable in ready:
            if writable:
                connection.send()
            if readable:
                started = connection.started
                answer = connection.receive()
                if answer is not None:
                    self._answered(connection, answer, started)

    def _answered(self, connection: Connection, answer: Answer, started: int) -> None:
        now = time.monotonic_ns()
        self._in_flight -= 1
        self._statuses[answer.status] += 1
        if answer.status in _OK:
            self._latencies.append(now - started)
        if answer.status == _TOO_MANY:
            self._paused.append((now + PAUSE_NS, connection))
        else:
            self._push(connection)

    def _result(self, seconds: float, cpu_seconds: float) -> Result:
        times = sorted(self._latencies) or [0]
        p50, p99, p999 = (percentile(times, share) / 1e9 for share in (0.5, 0.99, 0.999))
        statuses = {str(status): number for status, number in sorted(self._statuses.items())}
        return Result(statuses, seconds, p50, p99, p999, cpu_seconds)


def main() -> None:
    """Do jobs until stdin ends."""
    ids = count(1_000_000_000_000_000)
    gc.disable()
    for line in sys.stdin:
        answer: dict[str, object]
        try:
            answer = asdict(Load(Job(**json.loads(line)), ids).run())
        except LoadFailed as failed:
            answer = {"error": str(failed)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
        gc.collect()


if __name__ == "__main__":
    main()
