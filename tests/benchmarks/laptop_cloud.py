"""`python -m tests.benchmarks.laptop_cloud`: 10,000 messages through the laptop cloud.

The real Python client publishes, the real worker is pushed, its canonical entries are read from the
log; meanwhile somebody looks at the page. Prints the figures as JSON, then a line for each goal.
"""

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import wait
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Self
from unittest.mock import patch

import requests

from tests.benchmarks.stats import percentile
from tests.differential.running import TOPIC, Outcomes, RunningCloud, smoke_test

MESSAGES = 10_000
WANTED_SECONDS = 60.0
WANTED_PAGE_SECONDS = 0.5  # what still feels at once
PAGES = ("/", "/logs")
_LOOK_SECONDS = 0.5
_GIVE_UP_SECONDS = 300.0
_ACK_SECONDS = 20.0  # behind the last entry


@dataclass(frozen=True)
class Figures:
    """Times count from the first publish on. `acked` are the pushes that were answered 2xx."""

    messages: int
    published_seconds: float
    logged_seconds: float
    lost: int
    more_than_once: int
    acked: int
    page_requests: int
    page_p50_seconds: float
    page_p95_seconds: float
    page_max_seconds: float

    def verdicts(self) -> Mapping[str, bool]:
        """Each goal in words with what was measured, and whether it is met."""
        return {
            f"{self.messages:,} messages are handled and logged in {self.logged_seconds:.1f} s, "
            f"wanted less than {WANTED_SECONDS:.0f} s": self.logged_seconds < WANTED_SECONDS,
            f"{self.lost} lost, {self.more_than_once} handled more than once, "
            f"{self.acked:,} acked": (self.lost, self.more_than_once) == (0, 0)
            and self.acked == self.messages,
            f"the page answers in {self.page_p95_seconds * 1000:.0f} ms (p95 of "
            f"{self.page_requests}), wanted less than {WANTED_PAGE_SECONDS * 1000:.0f} ms": (
                self.page_p95_seconds < WANTED_PAGE_SECONDS
            ),
        }


class Visitor:
    """Asks for the pages, one after the other, until it is told to stop."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.seconds: list[float] = []
        self.failed: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.is_set():
            for page in PAGES:
                begun = time.perf_counter()
                answer = requests.get(self._url + page, timeout=60)
                self.seconds.append(time.perf_counter() - begun)
                if not answer.ok:
                    self.failed.append(f"{page}: {answer.status_code}")
                self._stop.wait(_LOOK_SECONDS)


def publish(host: str, count: int) -> list[str]:
    """Publish so many smoke tests with Google's client; return their ids."""
    from google.cloud.pubsub_v1 import PublisherClient  # type: ignore[import-untyped]

    with patch.dict(os.environ, {"PUBSUB_EMULATOR_HOST": host}):
        client = PublisherClient()
    with client:
        futures = [client.publish(TOPIC, smoke_test(number)) for number in range(count)]
        wait(futures)
    client.transport.close()
    return [str(future.result()) for future in futures]


def acked(cloud: RunningCloud, since: datetime, count: int) -> int:
    """The pushes since then that were answered 2xx; waits until there are `count` of them."""
    query = f'log_id("run.googleapis.com/requests") timestamp>="{since.isoformat()}"'
    until = time.monotonic() + _ACK_SECONDS
    while True:
        found = len(cloud.entries(f"{query} httpRequest.status>=200 httpRequest.status<300"))
        if found >= count or time.monotonic() > until:
            return found
        time.sleep(_LOOK_SECONDS)


def measure(cloud: RunningCloud, count: int) -> Figures:
    """Send so many messages through it. Raises AssertionError if they do not arrive."""
    outcomes = Outcomes(cloud)
    outcomes.read()
    with Visitor(cloud.url) as visitor:
        since, begun = datetime.now(UTC), time.perf_counter()
        ids = publish(cloud.host, count)
        published = time.perf_counter() - begun
        found = outcomes.wait(lambda seen: seen.keys() >= set(ids), _GIVE_UP_SECONDS)
        logged = time.perf_counter() - begun
    assert not visitor.failed, f"the page failed: {visitor.failed[:3]}"
    times = sorted(visitor.seconds)
    return Figures(
        messages=count,
        published_seconds=published,
        logged_seconds=logged,
        lost=sum("done" not in found[one] for one in ids),
        more_than_once=sum(found[one].count("done") > 1 for one in ids),
        acked=acked(cloud, since, count),
        page_requests=len(times),
        page_p50_seconds=percentile(times, 0.5),
        page_p95_seconds=percentile(times, 0.95),
        page_max_seconds=times[-1],
    )


def main(words: Sequence[str]) -> int:
    """Measure and say so; 1 when a goal is not met."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.laptop_cloud")
    parser.add_argument("--messages", type=int, default=MESSAGES, metavar="N")
    asked = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder, RunningCloud(Path(folder)) as cloud:
        figures = measure(cloud, asked.messages)
    rounded = {name: round(value, 3) for name, value in asdict(figures).items()}
    lines = [f"{'yes' if met else 'NO'}: {text}" for text, met in figures.verdicts().items()]
    sys.stdout.write("\n".join([json.dumps(rounded, indent=2), *lines, ""]))
    return 0 if all(figures.verdicts().values()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
