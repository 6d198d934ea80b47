"""build(): the parts that the settings choose, and the project that the metadata server knows."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cli import nobody
from tests.support.standin import Reply, StandIn, talks, unused_address
from worker import build as build_module
from worker.artifacts.folder import FolderArtifacts
from worker.build import build, project_of_metadata_server, root_log, store_of
from worker.claims import StoreFailed
from worker.claims.firestore import FirestoreClaims
from worker.claims.memory import MemoryClaims
from worker.claims.redis import RedisClaims
from worker.claims.shared import SharedClaims
from worker.config import SettingsInvalid, read_settings
from worker.feature import HandlersInvalid
from worker.pipeline import Worker
from worker.quarantine import NoQuarantine
from worker.quarantine.folder import FolderQuarantine
from worker.quarantine.topic import TopicQuarantine
from worker.sink import ENTRY_LIMIT, SHARED_LIMIT, StdoutSink

HOST_VARIABLE = "GCE_METADATA_HOST"


@pytest.fixture
def metadata(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with StandIn(lambda _call: Reply(200, b"demo-project")) as running:
        monkeypatch.setenv(HOST_VARIABLE, running.address)
        yield running


def test_without_settings_it_is_memory_a_folder_and_stdout() -> None:
    worker = build(read_settings({}))

    assert isinstance(worker.claims, MemoryClaims)
    assert isinstance(worker.quarantine, FolderQuarantine)
    assert isinstance(worker.log.sink, StdoutSink)
    assert worker.budget_seconds == 9
    assert isinstance(worker.artifacts, FolderArtifacts)
    assert "smoke_test" in worker.features.names


def test_the_quarantine_is_the_one_that_was_chosen(tmp_path: Path) -> None:
    folder = build(read_settings({"QUARANTINE": f"folder:{tmp_path}/a:b"})).quarantine
    topic = build(
        read_settings({"QUARANTINE": "topic:projects/demo-project/topics/bad"})
    ).quarantine

    assert isinstance(build(read_settings({"QUARANTINE": "none"})).quarantine, NoQuarantine)
    assert isinstance(folder, FolderQuarantine)
    assert folder._folder == tmp_path / "a:b"
    assert isinstance(topic, TopicQuarantine)
    assert topic._topic == "projects/demo-project/topics/bad"


@pytest.fixture
def close() -> Iterator[Callable[[Worker], None]]:
    made: list[Worker] = []
    yield made.append
    for worker in made:
        worker.claims.close()


@pytest.mark.parametrize(
    ("claims", "store"),
    [
        ("redis://127.0.0.1:1/3", RedisClaims),
        ("firestore", FirestoreClaims),
        ("firestore:claims", FirestoreClaims),
    ],
)
def test_the_store_of_claims_is_the_one_that_was_chosen_and_not_asked_yet(
    claims: str, store: type, close: Callable[[Worker], None]
) -> None:
    settings = read_settings({"CLAIMS": claims, "GOOGLE_CLOUD_PROJECT": "demo-project"})
    worker = build(settings)
    close(worker)
    assert isinstance(worker.claims, SharedClaims)
    assert isinstance(worker.claims._store, store)


@pytest.mark.parametrize(("on_error", "runs"), [("nack", False), ("run", True)])
def test_what_happens_without_the_store_is_what_was_chosen(
    on_error: str, close: Callable[[Worker], None], *, runs: bool
) -> None:
    with nobody() as address:
        variables = {"CLAIMS": f"redis://{address}", "CLAIMS_ON_ERROR": on_error}
        worker = build(read_settings(variables))
        close(worker)
        if runs:
            assert worker.claims.acquire("key").problem
        else:
            with pytest.raises(StoreFailed):
                worker.claims.acquire("key")


def test_an_address_that_redis_cannot_use_is_a_problem_of_the_settings() -> None:
    settings = read_settings({"CLAIMS": "redis://host/0?no_such_option=SECRET"})
    with pytest.raises(SettingsInvalid, match="CLAIMS is no address that redis-py can read") as bad:
        store_of(settings)
    assert "SECRET" not in str(bad.value)


def test_claims_are_remembered_as_long_as_was_chosen() -> None:
    claims = build(read_settings({"CLAIM_RETENTION_SECONDS": "77"})).claims
    assert isinstance(claims, MemoryClaims)
    assert claims._retention == 77


def test_a_feature_has_as_many_places_as_there_are_threads() -> None:
    assert build(read_settings({"HANDLER_THREADS": "3"})).places._each == 3


def test_the_budget_is_a_second_less_than_the_ack_deadline() -> None:
    assert build(read_settings({"ACK_DEADLINE_SECONDS": "600"})).budget_seconds == 599


@pytest.mark.parametrize(("workers", "limit"), [("1", ENTRY_LIMIT), ("2", SHARED_LIMIT)])
def test_lines_are_as_long_as_the_number_of_processes_allows(workers: str, limit: int) -> None:
    sink = root_log(read_settings({"WORKERS": workers})).sink

    assert isinstance(sink, StdoutSink)
    assert sink._limit == limit


def test_entries_name_the_service_of_cloud_run() -> None:
    environment = {"K_SERVICE": "my-worker", "K_REVISION": "my-worker-7", "PUSH_AUTH": "none"}

    service = root_log(read_settings(environment, project="demo-project")).service

    assert (service.name, service.version, service.project) == (
        "my-worker",
        "my-worker-7",
        "demo-project",
    )


def test_handlers_that_cannot_be_loaded_are_an_error() -> None:
    with pytest.raises(HandlersInvalid, match="no_such_package"):
        build(read_settings({"HANDLERS": "no_such_package"}))


def test_the_log_api_is_connected_when_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    from worker.api_sink import ApiSink
    from worker.logging_client import ENDPOINT_VARIABLE

    monkeypatch.setenv(ENDPOINT_VARIABLE, f"http://{unused_address()}/")
    sink = root_log(read_settings({"LOG_SINK": "api", "GOOGLE_CLOUD_PROJECT": "demo-project"})).sink

    assert isinstance(sink, ApiSink)


def test_the_project_is_asked_of_the_metadata_server(metadata: StandIn) -> None:
    assert project_of_metadata_server() == "demo-project"

    (call,) = metadata.calls
    assert call.path == "/computeMetadata/v1/project/project-id"
    assert call.headers["metadata-flavor"] == "Google"


@pytest.mark.parametrize(
    "reply", [Reply(404, b"not found"), Reply(500), Reply(200, b""), Reply(403, b"forbidden")]
)
def test_a_metadata_server_that_does_not_know_is_as_good_as_none(
    metadata: StandIn, reply: Reply
) -> None:
    metadata.answer = lambda _call: reply

    assert project_of_metadata_server() is None


def test_no_metadata_server_is_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(HOST_VARIABLE, unused_address())

    assert project_of_metadata_server() is None


def test_a_metadata_server_that_hangs_is_not_waited_for(
    metadata: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_module, "_METADATA_SECONDS", 0.2)
    metadata.answer = lambda _call: Reply(hang=True)

    assert project_of_metadata_server() is None


def test_a_metadata_server_that_speaks_no_http_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with talks(b"garbage\r\n\r\n") as address:
        monkeypatch.setenv(HOST_VARIABLE, address)
        assert project_of_metadata_server() is None
