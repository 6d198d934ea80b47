"""ARTIFACTS=gs://...: what is said when it fails, and what half a bundle becomes."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import google.auth
import pytest
from google.auth.exceptions import DefaultCredentialsError
from google.cloud.storage._bucket_metadata_cache import BucketMetadataCache

from tests.contracts.artifacts import check_whole
from tests.support.proxy import silent_address
from tests.support.server import ROOT
from tests.support.standin import Reply, StandIn, unused_address
from tests.support.storage import BUCKET, FakeStorage
from worker.artifacts import MANIFEST, ArtifactsFailed
from worker.artifacts import storage as module
from worker.artifacts.storage import EMULATOR, StorageArtifacts

ADDRESS = f"gs://{BUCKET}/kept"
FILES = {"b.csv": b"2", "a.png": b"1"}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStorage]:
    with FakeStorage() as fake:
        monkeypatch.setenv(EMULATOR, fake.address)  # without http://, as other clients take it
        yield fake


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.2)


def failure(artifacts: StorageArtifacts) -> str:
    """What keep and find both say."""
    said = set()
    calls: list[Callable[[], object]] = [
        lambda: artifacts.keep("SECRET", FILES),
        lambda: artifacts.find("SECRET"),
    ]
    for call in calls:
        with pytest.raises(ArtifactsFailed) as failed:
            call()
        said.add(failed.value.reason)
    (reason,) = said
    assert "SECRET" not in reason
    return reason.removeprefix(f"{ADDRESS} cannot be used: ")


def test_the_files_are_written_first_and_the_manifest_last(fake: FakeStorage) -> None:
    assert StorageArtifacts(ADDRESS).keep("reports/17", FILES) == f"{ADDRESS}/reports/17"

    assert list(fake.objects) == [f"kept/reports/17/{name}" for name in (*sorted(FILES), MANIFEST)]


@pytest.mark.parametrize("address", [f"gs://{BUCKET}", f"gs://{BUCKET}/"])
def test_a_prefix_can_be_left_out(fake: FakeStorage, address: str) -> None:
    assert StorageArtifacts(address).keep("17", FILES) == f"gs://{BUCKET}/17"

    assert f"17/{MANIFEST}" in fake.objects


def test_files_know_what_they_are(fake: FakeStorage) -> None:
    StorageArtifacts(ADDRESS).keep("17", FILES)

    sent = b"".join(call.body for call in fake.calls)
    assert all(kind in sent for kind in (b"image/png", b"text/csv", b"application/json"))


def test_half_a_bundle_is_none_and_is_finished(fake: FakeStorage) -> None:
    artifacts = StorageArtifacts(ADDRESS)
    fake.objects["kept/17/a.png"] = FILES["a.png"]
    assert artifacts.find("17") is None

    assert artifacts.keep("17", FILES) == artifacts.find("17")

    check_whole({name.removeprefix("kept/17/"): data for name, data in fake.objects.items()})


def test_half_a_bundle_of_other_files_is_not_mixed_with_these(fake: FakeStorage) -> None:
    fake.objects["kept/17/b.csv"] = b"another"

    with pytest.raises(ArtifactsFailed, match=f"{ADDRESS}/17 has files .* delete them"):
        StorageArtifacts(ADDRESS).keep("17", FILES)

    assert f"kept/17/{MANIFEST}" not in fake.objects
    assert fake.objects["kept/17/b.csv"] == b"another"


def test_who_comes_second_with_other_bytes_gets_the_bundle_of_the_first(
    fake: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one's manifest comes while the second writes."""
    artifacts = StorageArtifacts(ADDRESS)
    first = artifacts.keep("17", {"b.csv": b"first"})
    looks = iter([False, True])
    monkeypatch.setattr(artifacts, "_is_whole", lambda _name: next(looks))

    assert artifacts.keep("17", {"b.csv": b"second"}) == first
    assert fake.objects["kept/17/b.csv"] == b"first"


def test_no_thread_asks_for_the_bucket_in_the_background(
    fake: FakeStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would need more leave than that to objects, and tries for minutes where it gets none."""
    asked: list[str] = []
    monkeypatch.setattr(
        BucketMetadataCache, "get_or_queue_fetch", lambda _, name: asked.append(name)
    )
    artifacts = StorageArtifacts(ADDRESS)
    artifacts.keep("reports/17", FILES)
    artifacts.find("reports/17")
    assert asked == []


@pytest.mark.parametrize("name", ["a.png", MANIFEST])
def test_a_lost_answer_is_no_rival(fake: FakeStorage, name: str) -> None:
    fake.lost = {f"kept/17/{name}"}
    artifacts = StorageArtifacts(ADDRESS)

    assert artifacts.keep("17", FILES) == artifacts.find("17")
    assert not fake.lost


def test_many_threads_share_it_each_with_connections_of_its_own(fake: FakeStorage) -> None:
    artifacts = StorageArtifacts(ADDRESS)

    with ThreadPoolExecutor(8) as pool:
        addresses = list(pool.map(lambda n: artifacts.keep(str(n), FILES), range(40)))

    assert addresses == [f"{ADDRESS}/{number}" for number in range(40)]
    assert len(fake.objects) == 40 * 3


# --- what is said when it fails


def test_a_bucket_that_is_not_there_is_told(fake: FakeStorage) -> None:
    with pytest.raises(ArtifactsFailed) as failed:
        StorageArtifacts("gs://nobody-made-this").keep("17", FILES)

    assert failed.value.reason == (
        "gs://nobody-made-this cannot be used: "
        "there is no bucket nobody-made-this (make it, or mend ARTIFACTS)"
    )


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (403, "no permission (give the worker's account roles/storage.objectUser on the bucket)"),
        (400, "Cloud Storage answered 400"),
        (503, "Cloud Storage answered 503"),
    ],
)
def test_a_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch, impatient: None, status: int, reason: str
) -> None:
    with StandIn(lambda _: Reply.error(status, "SECRET")) as there:
        monkeypatch.setenv(EMULATOR, there.url)
        assert failure(StorageArtifacts(ADDRESS)) == reason


def test_nobody_listening_is_told(monkeypatch: pytest.MonkeyPatch, impatient: None) -> None:
    monkeypatch.setenv(EMULATOR, f"http://{unused_address()}")

    assert failure(StorageArtifacts(ADDRESS)) == "ConnectionError"


def test_a_store_that_never_answers_is_given_up(
    monkeypatch: pytest.MonkeyPatch, impatient: None
) -> None:
    with silent_address() as address:
        monkeypatch.setenv(EMULATOR, f"http://{address}")
        assert failure(StorageArtifacts(ADDRESS)) == "ReadTimeout"


def test_a_machine_without_credentials_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(**_options: object) -> None:
        raise DefaultCredentialsError

    monkeypatch.delenv(EMULATOR, raising=False)
    monkeypatch.setattr(google.auth, "default", none)

    said = failure(StorageArtifacts(ADDRESS))
    assert said == "no credentials (run `gcloud auth application-default login`)"


def test_it_works_where_the_image_has_dropped_grpc(fake: FakeStorage, tmp_path: Path) -> None:
    (tmp_path / "grpc.py").write_text("raise ModuleNotFoundError('dropped', name='grpc')\n")
    script = (
        "import sys\n"
        "from worker.build import artifacts_of\n"
        "from worker.config import read_settings\n"
        f"place = artifacts_of(read_settings({{'ARTIFACTS': {ADDRESS!r}}}))\n"
        "print(place.keep('17', {'a': b'1'}), 'grpc' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
             "GOOGLE_CLOUD_DISABLE_GRPC": "true"},
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert done.stdout == f"{ADDRESS}/17 False\n", done.stderr
