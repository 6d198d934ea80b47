"""The worker's process as a revision of Cloud Run: starts, fails, dies, is stopped."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.local.logs_support import open_logs
from worker.local.cloud import Cloud, Plan
from worker.local.frontend import FrontEnd
from worker.local.logs.run import CloudRun
from worker.local.lql import parse
from worker.local.pubsub.push.front import SERVER
from worker.local.pubsub.push.records import Attempt
from worker.local.run.revisions import Revision, State
from worker.local.service import Service

URL = "http://127.0.0.1:8080"
SEEN = Attempt(
    id=1, delivery_id=1, subscription="s", message_id="1", attempt=1, endpoint=f"{URL}/",
    started=1_795_000_000.0, status=200, result="ack",
)  # fmt: skip


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(Plan(tmp_path_factory.mktemp("cloud"))) as started:
        started.start()
        yield started


def service_of(cloud: Cloud, **settings: str) -> Service:
    folder = f"folder:{cloud.plan.folder}/quarantine"
    environment = {**os.environ, "PORT": "0", "PUSH_AUTH": "none", "QUARANTINE": folder, **settings}
    return Service(cloud, environment, lambda *_: None)


def newest(cloud: Cloud) -> Revision:
    return cloud.revisions.all()[0]


@pytest.mark.server
def test_a_worker_that_is_stopped_is_retired(cloud: Cloud) -> None:
    service = service_of(cloud, HANDLER_THREADS="3", WORKERS="2")
    service.spawn()
    assert newest(cloud).state is State.STARTING
    service.ready()
    assert (newest(cloud).state, newest(cloud).concurrency) == (State.READY, 6)
    service.stop()
    assert newest(cloud).state is State.RETIRED


@pytest.mark.server
def test_a_worker_that_is_killed_is_not_ready_any_more(cloud: Cloud) -> None:
    service = service_of(cloud)
    service.spawn()
    service.ready()
    process: Any = service._process
    process._process.kill()
    process._process.wait()
    assert newest(cloud).state is State.FAILED
    assert "killed by signal 9" in newest(cloud).message
    service.stop()
    assert newest(cloud).state is State.FAILED


@pytest.mark.server
def test_a_worker_with_a_wrong_setting_does_not_become_ready(cloud: Cloud) -> None:
    service = service_of(cloud, HANDLER_THREADS="many", CLAIMS="redis://me:SECRET@127.0.0.1:1/0")
    service.spawn()
    assert service.ready() is None
    assert newest(cloud).state is State.FAILED
    assert "exit code 2" in newest(cloud).message
    assert newest(cloud).environment["HANDLER_THREADS"] == "many"
    assert newest(cloud).environment["CLAIMS"] == "redis://***@127.0.0.1:1/0"
    service.stop()


@pytest.mark.parametrize(
    ("change", "logged"),
    [
        ({}, True),
        ({"endpoint": f"{URL}/push?a=b", "status": 404, "result": "nack"}, True),
        ({"endpoint": "http://127.0.0.1:8081/"}, False),
        ({"endpoint": "nonsense"}, False),
        ({"status": 0, "result": "unreachable"}, False),
    ],
)
def test_the_request_log_has_what_came_to_the_service(
    tmp_path: Path, change: dict[str, Any], logged: bool
) -> None:
    logs = open_logs(tmp_path)
    front = FrontEnd(tmp_path, CloudRun(logs, project="demo"), lambda: URL)
    try:
        front.saw(replace(SEEN, **change))
        assert bool(logs.search(parse(""), limit=9).entries) is logged
    finally:
        front.close()
        logs.close()


@pytest.mark.parametrize(("server", "text"), [(SERVER, "no entry"), ("gunicorn", None)])
def test_only_what_the_front_end_refused_has_its_reason(
    tmp_path: Path, server: str, text: str | None
) -> None:
    logs = open_logs(tmp_path)
    front = FrontEnd(tmp_path, CloudRun(logs, project="demo"), lambda: URL)
    try:
        headers = {"server": server}
        front.saw(replace(SEEN, status=403, reason="no entry", response_headers=headers))
        (entry,) = logs.search(parse(""), limit=9).entries
        assert (entry.get("textPayload"), entry["severity"]) == (text, "WARNING")
    finally:
        front.close()
        logs.close()
