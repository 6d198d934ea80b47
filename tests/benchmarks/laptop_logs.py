"""A million entries in the laptop cloud's log store, and what queries take then.

`python -m tests.benchmarks.laptop_logs [entries]` prints the figures; it writes to a temporary
folder, 2 GB for a million.
"""

import argparse
import itertools
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from worker.local.logs.store import Logs
from worker.local.logs.times import SECOND, written
from worker.local.lql import parse

PROJECT = "demo"
_BATCH = 500  # entries of one transaction
_REPEATS = 5
_SPAN = 86_400.0  # seconds over which the entries are spread
_FEATURES = ("smoke_test", "resize_image", "send_mail", "make_report")


def entries(count: int, until: float) -> Iterator[dict[str, Any]]:
    """Entries as the worker and the request log make them: four for each message."""
    chance = random.Random(1)  # noqa: S311 - the same entries in each run
    for number in range(count):
        message = number // 4
        event = ("request", "message_received", "feature_progress", "message_handled")[number % 4]
        moment = int((until - _SPAN * (count - number) / count) * SECOND)
        trace = f"projects/{PROJECT}/traces/{message:032x}"
        common = {
            "timestamp": written(moment), "trace": trace, "spanId": f"{number:016x}",
            "resource": RESOURCE, "labels": {"instanceId": "1" * 64}, "severity": "INFO",
            "insertId": f"bench-{number:09d}",
        }  # fmt: skip
        yield common | _content(message, event, chance)


RESOURCE = {
    "type": "cloud_run_revision",
    "labels": {
        "project_id": PROJECT, "service_name": "feature-worker", "location": "europe-west1",
        "revision_name": "feature-worker-00001-dev", "configuration_name": "feature-worker",
    },
}  # fmt: skip


def _content(message: int, event: str, chance: random.Random) -> dict[str, Any]:
    log = f"projects/{PROJECT}/logs/run.googleapis.com%2F"
    if event == "request":
        request = {"requestMethod": "POST", "requestUrl": "http://127.0.0.1/", "status": 200}
        return {"logName": log + "requests", "httpRequest": {**request, "latency": "0.012s"}}
    return {
        "logName": log + "stdout",
        "operation": {"id": str(10**15 + message), "producer": "feature-worker"},
        "jsonPayload": {
            "event": event, "message": f"Message {10**15 + message}: {event}.",
            "message_id": str(10**15 + message), "feature": _FEATURES[message % 4],
            "outcome": "done" if message % 10 else "rejected", "attempt": 1,
            "seconds": chance.random(), "form": "wrapped", "logger": "worker",
            "subscription": f"projects/{PROJECT}/subscriptions/feature-worker",
        },
    }  # fmt: skip


def fill(logs: Logs, count: int, until: float) -> float:
    """Write the entries; returns entries per second, without the time to make them."""
    spent = 0.0
    made = entries(count, until)
    while batch := list(itertools.islice(made, _BATCH)):
        began = time.perf_counter()
        logs.write(batch)
        spent += time.perf_counter() - began
    return count / spent


def queries(count: int, until: float) -> dict[str, str]:
    """By name: what is asked of a full store."""
    message = count // 8  # of the middle
    smoke = [
        'resource.type="cloud_run_revision"',
        'resource.labels.service_name="feature-worker"',
        'jsonPayload.feature="smoke_test"',
        "severity>=INFO",
        f'timestamp>="{written(int((until - _SPAN) * SECOND))}"',
    ]
    identity = f'jsonPayload.message_id="{10**15 + message // 4 * 4}"'
    return {
        "smoke query": "\n".join([*smoke, identity]),
        "smoke query, no such message": "\n".join([*smoke, 'jsonPayload.message_id="none"']),
        "smoke query without a message": "\n".join(smoke),
        "a trace": f'trace="projects/{PROJECT}/traces/{message:032x}"',
        "an insertId": f'insertId="bench-{count // 2:09d}"',
        "an operation": f'operation.id="{10**15 + message}"',
        "an outcome": 'jsonPayload.outcome="rejected"',
        "an event and an outcome": 'jsonPayload.event="message_handled" '
        'jsonPayload.outcome="rejected"',
        "an event nobody has": 'jsonPayload.event="nothing"',
        "two frequent values that never meet": 'jsonPayload.feature="smoke_test" '
        f'logName="projects/{PROJECT}/logs/run.googleapis.com%2Frequests"',
        "a field without a column, no match": 'jsonPayload.colour="red"',
        "a severity nobody has": "severity>=ERROR",
        "the newest": "",
        "a pattern without a match": 'jsonPayload.message=~"never written"',
        "a text without a match": '"never written"',
    }


def measure(logs: Logs, query: str) -> tuple[float, float, int, bool]:
    """Milliseconds (median, largest) for a page of five, entries found, and whether all is said."""
    parsed, taken = parse(query), []
    for _ in range(_REPEATS):
        began = time.perf_counter()
        found = logs.search(parsed, limit=5)
        taken.append((time.perf_counter() - began) * 1000)
        if taken[-1] > 1000:  # milliseconds: once is enough
            break
    return statistics.median(taken), max(taken), len(found.entries), bool(found.next)


def main() -> None:
    """Fill a store, then ask."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("entries", type=int, nargs="?", default=1_000_000)
    count = parser.parse_args().entries
    until = time.time()
    with tempfile.TemporaryDirectory() as folder:
        logs = Logs(Path(folder), PROJECT)
        _say(f"{fill(logs, count, until):,.0f} entries written per second")
        size = sum(file.stat().st_size for file in Path(folder).iterdir())
        _say(f"{size / count:,.0f} bytes per entry on disk")
        for name, query in queries(count, until).items():
            median, most, found, more = measure(logs, query)
            _say(f"{median:10.1f} ms {most:10.1f} ms {found:3d}{'+' if more else ' '} {name}")
        _say_figures(logs, until)
        logs.close()
    _say(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB resident at most")


def _say_figures(logs: Logs, until: float) -> None:
    everything, attempts = parse(""), parse('jsonPayload.attempt="1"')
    calls: dict[str, Callable[[], Any]] = {
        "histogram": lambda: logs.histogram(everything, until - _SPAN, until, 60),
        "histogram of a query": lambda: logs.histogram(attempts, until - _SPAN, until, 60),
        "facets": lambda: logs.facets(everything),
        "facets of a query": lambda: logs.facets(attempts),
    }
    for name, call in calls.items():
        began = time.perf_counter()
        complete = call().complete
        _say(f"{(time.perf_counter() - began) * 1000:10.1f} ms {name}, complete: {complete}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
