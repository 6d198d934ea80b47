"""The image serves as on Cloud Run: a read-only root, little memory, and SIGTERM at the end."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.faults.audit import Evidence, audit
from tests.faults.balancer import Balancer
from tests.faults.ledger import Ledger
from tests.faults.messages import CRASH_FIRST, QUICK, RETRY_FIRST, SLOW, Fate, to_push
from tests.faults.pusher import Pusher
from tests.faults.waiting import wait_until
from tests.image.builds import Images
from tests.image.container import CLOUD_RUN, EXIT_SECONDS, Container, ask_from
from tests.support.pushes import wrapped
from tests.support.rawhttp import request, send
from tests.support.server import ROOT
from worker.local.testing import LocalCloud

pytestmark = [pytest.mark.image, pytest.mark.server, pytest.mark.timeout(600)]

_LEDGER = ROOT / "tests/faults/handlers/ledger.py"
KINDS = (*[SLOW] * 24, *[QUICK] * 24, *[RETRY_FIRST, CRASH_FIRST] * 4)


@pytest.fixture(scope="module")
def container(built: Images) -> Iterator[Container]:
    with Container(built.podman, built.worker) as running:
        running.wait_until_ready()
        yield running


def canonical(container: Container, message_id: str) -> dict[str, object]:
    (entry,) = [one for one in container.canonical() if one["message_id"] == message_id]
    return entry


def test_a_push_is_handled_and_its_entry_is_in_the_log(container: Container) -> None:
    answer = container.push(wrapped(message_id="handled"))
    assert (answer.status, answer.json()["outcome"]) == (200, "done")
    entry = canonical(container, "handled")
    assert (entry["outcome"], entry["feature"], entry["status"]) == ("done", "smoke_test", 200)


def test_what_can_never_succeed_is_quarantined_and_acked(container: Container) -> None:
    answer = container.push(wrapped({"feature": "smok_test"}, message_id="rejected"))
    assert (answer.status, answer.json()["outcome"]) == (200, "rejected")
    assert canonical(container, "rejected")["outcome"] == "rejected"
    script = (
        "import pathlib; print(next(pathlib.Path('/tmp/quarantine').glob('*.json')).read_text())"
    )
    kept = json.loads(container.execute("python", "-c", script))
    assert kept["message_id"] == "rejected"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_it_is_healthy(container: Container, path: str) -> None:
    assert send(container.port, request("GET", path)).status == 200


def test_the_first_process_is_python_and_none_is_roots(container: Container) -> None:
    processes = container.processes()
    assert {user for _, user, _ in processes} == {"10001"}
    (first,) = [words for pid, _, words in processes if pid == "1"]
    assert first.startswith("python -m worker serve")
    assert len(processes) == 2


def test_it_needs_nothing_that_is_read_only(container: Container) -> None:
    assert container.complaints() == ""
    grave = [e for e in container.entries() if e["severity"] not in ("INFO", "NOTICE", "WARNING")]
    assert grave == []
    assert set(container.changed()) <= {"C /etc"}, "podman's own: where it mounts /etc/hosts"


def test_sigterm_under_load_drains(built: Images, tmp_path: Path) -> None:
    """As a new revision sends it: the old one ends in time, each push has one answer."""
    ledger = Ledger(tmp_path / "ledger.jsonl")
    tmp_path.chmod(0o755)
    ledger.path.chmod(0o666)
    mounts = [(_LEDGER, "/app/handlers/ledger.py"), (ledger.path, "/tmp/ledger.jsonl")]
    environment = {**CLOUD_RUN, "LEDGER": "/tmp/ledger.jsonl"}
    messages = to_push(KINDS)
    with (
        Container(built.podman, built.worker, environment, mounts) as old,
        Container(built.podman, built.worker, environment, mounts) as new,
        Balancer() as balancer,
        Pusher(balancer.port, Random(1)) as pusher,  # noqa: S311 - to be repeated
    ):
        old.wait_until_ready()
        new.wait_until_ready()
        balancer.ports.append(old.port)
        for message in messages:
            pusher.push(message)
        wait_until(lambda: len(running(ledger)) >= 8, "8 handlers run")
        balancer.ports.append(new.port)
        took = old.stop()
        assert old.exit_code() == 0
        assert took < EXIT_SECONDS
        balancer.ports.remove(old.port)
        wait_until(lambda: not pusher.not_acked(), "every message is acked")
        pusher.stop()
        entries = old.canonical(), new.canonical()
    assert min(map(len, entries)) > 0, "both had their share"
    check_answers(pusher, [entry for one in entries for entry in one])
    verdict = audit(messages, Evidence(ledger.runs(), [], pusher.not_acked()))
    assert (verdict.lost, verdict.twice) == ([], [])
    assert set(verdict.fates.values()) == {Fate.HANDLED}


def running(ledger: Ledger) -> list[object]:
    return [run for run in ledger.runs() if not run.end]


def check_answers(pusher: Pusher, entries: list[dict[str, Any]]) -> None:
    """Every push that was taken has one answer and one entry. 0 is a push that nobody took."""
    answered = Counter(
        {
            (message_id, status): times
            for message_id, statuses in pusher.answers.items()
            for status, times in statuses.items()
            if status
        }
    )
    read = Counter((e["message_id"], e["status"]) for e in entries if e["message_id"])
    assert read <= answered
    assert statuses(answered) == Counter(entry["status"] for entry in entries)


def statuses(answered: Counter[tuple[str, int]]) -> Counter[int]:
    found: Counter[int] = Counter()
    for (_, status), times in answered.items():
        found[status] += times
    return found


def test_smoke_in_the_image_proves_a_worker(built: Images, local_cloud: LocalCloud) -> None:
    """As the build's canary does, with the client of Cloud Logging that has no gRPC."""
    words = ("python", "-m", "worker", "smoke", "--json", "--wait=60")
    said = ask_from(built.podman, built.worker, local_cloud.environment, *words)
    verdict = json.loads(said)
    assert verdict["verdict"] == "proved"
    assert local_cloud.outcome(verdict["message_id"])["outcome"] == "done"
