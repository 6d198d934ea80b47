"""UNKNOWN_FEATURE: what becomes of a payload for a feature that has no handler."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from handlers.build_feature import build_feature
from handlers.smoke_test import smoke_test
from tests.conftest import Serve
from tests.support.building import Engine, engine
from tests.support.cli import run
from tests.support.inprocess import ListQuarantine, ListSink, make_worker
from tests.support.pushes import push_of, wrapped
from tests.support.server import ROOT, ServerProcess, handlers_folder
from worker.artifacts import MemoryArtifacts
from worker.builder import OrderRefused
from worker.desk.check import Verdict, check
from worker.desk.reading import of_record
from worker.pipeline import process
from worker.registry import Features

__all__ = ["engine"]  # a fixture

VET_VISIT = {
    "feature": "vet_visit",
    "description": "Plan a visit to the vet.",
    "requirements": {"pet_id": "uuid", "weight_kg": "float > 0", "notes": "string?"},
}
BUILDING = Features([smoke_test, build_feature], build_unknown=True)
REJECTING = Features([smoke_test, build_feature])


def canonical(payload: Any, features: Features) -> dict[str, Any]:
    """The canonical entry of one message."""
    sink = ListSink()
    worker = make_worker(features=features, sink=sink, artifacts=MemoryArtifacts())
    process(worker, push_of(wrapped(payload)))
    return sink.canonical()


def test_it_is_rejected_as_long_as_nobody_says_otherwise(engine: Engine) -> None:
    entry = canonical(VET_VISIT, REJECTING)
    assert entry["outcome"] == "rejected"
    assert entry["reason"].startswith("no handler is registered for vet_visit")
    assert engine.orders == []


def test_the_feature_that_it_describes_is_built(engine: Engine) -> None:
    entry = canonical(VET_VISIT, BUILDING)
    assert (entry["outcome"], entry["feature"]) == ("done", "vet_visit")
    assert entry["reason"] == "handled by build_feature"
    (order,) = engine.orders
    assert (order.feature, order.description) == ("vet_visit", VET_VISIT["description"])
    assert order.requirements == VET_VISIT["requirements"]
    assert engine.taken == [frozenset({"smoke_test", "build_feature"})]
    assert entry["artifacts"] == [entry["result"]["address"]]


def test_a_feature_that_is_there_is_not_built(engine: Engine) -> None:
    assert canonical({"feature": "smoke_test"}, BUILDING)["reason"] == "handled by smoke_test"
    assert engine.orders == []


def verdict(quarantine: ListQuarantine, features: Features) -> Verdict:
    """What `quarantine check` says of the one that was kept."""
    (kept,) = quarantine.kept
    return check(of_record(kept.id, json.dumps(kept.record()).encode()), features)


def test_the_quarantine_desk_says_what_the_worker_would_do(engine: Engine) -> None:
    """A message that was rejected as unknown would be built now, for all that can be told."""
    quarantine = ListQuarantine()
    worker = make_worker(features=REJECTING, quarantine=quarantine)
    process(worker, push_of(wrapped(VET_VISIT)))
    assert verdict(quarantine, BUILDING).passes
    assert verdict(quarantine, REJECTING).reason.startswith("no handler is registered")


def test_an_order_that_was_refused_is_quarantined_under_its_own_name(engine: Engine) -> None:
    engine.refuses = OrderRefused("class is a keyword of Python")
    quarantine = ListQuarantine()
    process(
        make_worker(features=BUILDING, quarantine=quarantine),
        push_of(wrapped({"feature": "class"})),
    )
    (kept,) = quarantine.kept
    assert (kept.feature, kept.reason) == ("class", "class is a keyword of Python")
    assert verdict(quarantine, BUILDING).doubt


@pytest.mark.parametrize("command", ["serve", "features"])
def test_a_worker_that_cannot_build_does_not_start(tmp_path: Path, command: str) -> None:
    with handlers_folder(tmp_path, only='"""Nothing."""'):
        done = subprocess.run(
            [sys.executable, "-m", "worker", command],
            env={"PYTHONPATH": str(ROOT), "PORT": "0", "UNKNOWN_FEATURE": "build"},
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode != 0
    assert done.stderr == (
        "error: UNKNOWN_FEATURE=build needs a handler of the feature build_feature: "
        "keep handlers/build_feature, or set UNKNOWN_FEATURE=reject\n"
    )


def push(server: ServerProcess, message_id: str) -> dict[str, Any]:
    """Deliver the payload: the canonical entry."""
    status, answer = server.push(wrapped(VET_VISIT, message_id=message_id))
    assert status == 200, answer
    server.catch_up()
    entries = [one for one in server.entries() if one.get("message_id") == message_id]
    return [one for one in entries if one["event"] == "message.processed"][-1]


@pytest.mark.server
def test_a_server_builds_it_once_for_every_message_that_describes_it(
    serve: Serve, tmp_path: Path
) -> None:
    """With the engine itself: this is the one bundle that a server builds in the tests."""
    server = serve(UNKNOWN_FEATURE="build", ACK_DEADLINE_SECONDS="120")
    first = push(server, "1")
    assert (first["outcome"], first["reason"]) == ("done", "handled by build_feature")
    (address,) = first["artifacts"]
    folder = tmp_path / address
    assert set(first["result"]["files"]) == {
        "REPORT.md", "docs/features/vet_visit.md", "handlers/vet_visit.py",
        "tests/handlers/test_vet_visit.py",
    }  # fmt: skip
    for name in [*first["result"]["files"], "manifest.json"]:
        assert (folder / name).is_file()
    before = (folder / "REPORT.md").read_bytes()

    assert push(server, "1")["outcome"] == "duplicate"
    again = push(server, "2")
    assert (again["outcome"], again["artifacts"]) == ("done", [address])
    assert (folder / "REPORT.md").read_bytes() == before
    stages = [one["stage"] for one in server.entries() if one.get("building") == "vet_visit"]
    assert stages == [
        "processing", "generating", "verifying", "complete",
        "processing", "generating", "complete",
    ]  # fmt: skip


def test_the_desk_reads_the_setting(tmp_path: Path, engine: Engine) -> None:
    """`quarantine check` of a worker that builds, as one would call it."""
    quarantine = ListQuarantine()
    process(make_worker(features=REJECTING, quarantine=quarantine), push_of(wrapped(VET_VISIT)))
    (kept,) = quarantine.kept
    (tmp_path / f"{kept.id}.json").write_text(json.dumps(kept.record()))
    words = ("quarantine", "check", "--from", f"folder:{tmp_path}")
    assert run(*words, UNKNOWN_FEATURE="build").exit_code == 0
    assert run(*words, UNKNOWN_FEATURE=None).exit_code == 1
