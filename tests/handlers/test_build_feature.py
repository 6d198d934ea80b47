"""build_feature: what a message for it leads to. The engine has tests of its own."""

from collections.abc import Mapping
from typing import Any

import pytest

from handlers.build_feature import build_feature
from tests.support.building import Engine, engine
from tests.support.inprocess import ListSink, make_worker
from tests.support.pushes import push_of, wrapped
from worker.artifacts import ArtifactsFailed, MemoryArtifacts, NoArtifacts
from worker.builder import BuildFailed, Order, OrderRefused, Target
from worker.pipeline import process
from worker.testing import Delivered, deliver

__all__ = ["engine"]  # a fixture

OPERATION = "logging.googleapis.com/operation"
VET_VISIT = {"feature": "vet_visit", "requirements": {"pet_id": "uuid"}}
NAME = "build_feature"


def stages(delivered: Delivered) -> list[str]:
    """Those of the entries, each with the name of what is built."""
    entries = [one for one in delivered.entries if one["event"].startswith(NAME)]
    assert all(one["event"] == f"{NAME}.{one['stage']}" for one in entries)
    assert all(one["building"] == "vet_visit" for one in entries)
    return [one["stage"] for one in entries]


def failure(delivered: Delivered) -> tuple[str, str, str]:
    entry = delivered.event("build_feature.failed")
    return entry["severity"], entry["failed_stage"], entry["reason"]


def test_a_bundle_is_kept_with_its_report(engine: Engine) -> None:
    delivered = deliver(build_feature, VET_VISIT)
    assert (delivered.outcome, delivered.reason) == ("done", "handled by build_feature")
    ((address, files),) = delivered.artifacts.items()
    digest = engine.verified[0].digest
    assert address == f"memory:features/vet_visit/worker-{digest[:16]}"
    paths = [
        "REPORT.md", "docs/features/vet_visit.md", "handlers/vet_visit.py",
        "tests/handlers/test_vet_visit.py",
    ]  # fmt: skip
    assert delivered.result == {
        "feature": "vet_visit", "target": "worker", "status": "complete",
        "address": address, "files": paths, "digest": digest,
    }  # fmt: skip
    assert sorted(files) == sorted([*paths, "manifest.json"])
    assert files["REPORT.md"] == b"# vet_visit\n"
    assert files["handlers/vet_visit.py"] == b'"""vet_visit."""\n'
    assert delivered.entries[-1]["artifacts"] == [address]


def test_every_stage_is_an_entry_under_one_operation(engine: Engine) -> None:
    delivered = deliver(build_feature, VET_VISIT)
    assert stages(delivered) == ["processing", "generating", "verifying", "complete"]
    assert len({one[OPERATION]["id"] for one in delivered.entries}) == 1
    assert delivered.event("build_feature.complete")["address"] in delivered.artifacts


def test_what_is_asked_for_comes_to_the_engine(engine: Engine) -> None:
    order = {"feature": "api_status", "description": "Say it.", "requirements": "a sentence"}
    deliver(build_feature, {**order, "target": "fastapi", "tag": "Operations"}, "of the message")
    deliver(build_feature, {"name": "api_status"}, "of the message")
    assert engine.orders == [
        Order("api_status", "Say it.", "a sentence", Target.FASTAPI, "Operations"),
        Order("api_status", "of the message"),
    ]
    assert engine.taken == [frozenset({NAME})] * 2


def test_the_report_knows_the_message(engine: Engine) -> None:
    payload = {"feature": NAME, "requirements": VET_VISIT}
    worker = make_worker(build_feature, sink=ListSink(), artifacts=MemoryArtifacts())
    process(worker, push_of(wrapped(payload, message_id="m-7")))
    ((requested, message_id),) = engine.reports
    assert requested is not None
    assert (requested.isoformat(), message_id) == ("2026-11-21T19:20:09.017000+00:00", "m-7")


def test_the_same_order_in_another_message_is_the_same_bundle(engine: Engine) -> None:
    kept = MemoryArtifacts()
    first = deliver(build_feature, VET_VISIT, artifacts=kept)
    again = deliver(build_feature, VET_VISIT, artifacts=kept)
    assert again.result == first.result
    assert again.entries[-1]["artifacts"] == [first.result["address"]]
    assert stages(again) == ["processing", "generating", "complete"]
    assert (len(kept.bundles), len(engine.verified)) == (1, 1)


def test_another_order_is_another_bundle(engine: Engine) -> None:
    kept = MemoryArtifacts()
    for requirements in ("none", "a sentence"):
        deliver(build_feature, {**VET_VISIT, "requirements": requirements}, artifacts=kept)
    assert len(kept.bundles) == 2


@pytest.mark.parametrize(
    ("requirements", "named"),
    [
        ("none", "requirements.feature: missing"),
        ({}, "requirements.feature: missing"),
        ({"feature": "../escape"}, "requirements.feature: "),
        ({"feature": "Vet"}, "requirements.feature: "),
        ({"name": "vet\n"}, "requirements.name: "),
        ({"feature": "a", "name": "b"}, "requirements.name: unknown field"),
        ({**VET_VISIT, "target": "flask"}, "requirements.target: "),
        ({**VET_VISIT, "tag": ""}, "requirements.tag: "),
        ({**VET_VISIT, "path": "/etc"}, "requirements.path: unknown field"),
    ],
)
def test_what_is_no_order_is_rejected(engine: Engine, requirements: Any, named: str) -> None:
    delivered = deliver(build_feature, requirements)
    assert delivered.outcome == "rejected"
    assert named in delivered.reason
    assert engine.orders == []


def test_a_description_without_end_is_rejected_before_anything_is_made(engine: Engine) -> None:
    for delivered in (
        deliver(build_feature, {**VET_VISIT, "description": "x" * 10_001}),
        deliver(build_feature, VET_VISIT, "x" * 10_001),
    ):
        assert delivered.outcome == "rejected"
        assert failure(delivered)[1:] == ("processing", delivered.reason)
        assert "at most 10000 characters" in delivered.reason
    assert engine.orders == []
    assert deliver(build_feature, VET_VISIT, "x" * 10_000).outcome == "done"


def test_an_order_that_can_never_be_built_is_rejected(engine: Engine) -> None:
    engine.refuses = OrderRefused("requirements.pet_id: no field type")
    delivered = deliver(build_feature, VET_VISIT)
    assert (delivered.outcome, delivered.reason) == ("rejected", str(engine.refuses))
    assert failure(delivered) == ("WARNING", "generating", str(engine.refuses))
    assert stages(delivered) == ["processing", "generating", "failed"]


@pytest.mark.parametrize(("again", "outcome"), [(False, "rejected"), (True, "retry")])
def test_what_is_not_verified_is_not_kept(engine: Engine, again: bool, outcome: str) -> None:
    engine.fails = BuildFailed("verifying", "types: mypy found 2 errors", again=again)
    delivered = deliver(build_feature, VET_VISIT)
    reason = "verifying: types: mypy found 2 errors"
    assert (delivered.outcome, delivered.reason) == (outcome, reason)
    assert failure(delivered) == ("WARNING", "verifying", reason)
    assert stages(delivered) == ["processing", "generating", "verifying", "failed"]
    assert not delivered.artifacts


def test_without_its_tools_it_says_so_before_it_verifies(engine: Engine) -> None:
    engine.refuses = BuildFailed("generating", "ruff is not installed")
    delivered = deliver(build_feature, VET_VISIT)
    assert (delivered.outcome, delivered.reason) == (
        "rejected",
        "generating: ruff is not installed",
    )
    assert failure(delivered)[1] == "generating"


def test_the_message_comes_again_when_the_bundle_cannot_be_kept(engine: Engine) -> None:
    class Full(MemoryArtifacts):
        def keep(self, name: str, files: Mapping[str, bytes]) -> str:
            raise ArtifactsFailed("the disk is full")

    delivered = deliver(build_feature, VET_VISIT, artifacts=Full())
    assert (delivered.outcome, delivered.reason) == ("retry", "the disk is full")
    assert failure(delivered) == ("WARNING", "verifying", delivered.reason)


def test_nothing_is_verified_where_there_is_no_place_for_it(engine: Engine) -> None:
    delivered = deliver(build_feature, VET_VISIT, artifacts=NoArtifacts())
    assert delivered.outcome == "retry"
    assert "ARTIFACTS=none" in delivered.reason
    assert engine.verified == []


def test_the_message_comes_again_when_the_bundles_cannot_be_looked_at(engine: Engine) -> None:
    class Unreachable(MemoryArtifacts):
        def find(self, name: str) -> str | None:
            raise ArtifactsFailed("the bucket does not answer")

    delivered = deliver(build_feature, VET_VISIT, artifacts=Unreachable())
    assert (delivered.outcome, delivered.reason) == ("retry", "the bucket does not answer")
    assert failure(delivered)[1] == "generating"
    assert engine.verified == []


def test_a_build_that_takes_longer_than_its_push_goes_on(engine: Engine) -> None:
    """Its end counts: the next delivery is a duplicate, and finds the bundle there."""
    delivered = deliver(build_feature, VET_VISIT, budget_seconds=0.0)
    assert (delivered.outcome, stages(delivered)[-1]) == ("done", "complete")
    assert len(delivered.artifacts) == 1
