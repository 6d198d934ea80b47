"""The places for artifacts: memory, a folder, Cloud Storage (its emulator, and a stand-in)."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from google.cloud.storage import Client

from tests.contracts.artifacts import ArtifactsContract, Read, RivalsContract
from tests.support.storage import BUCKET, FakeStorage, storage_emulator
from worker.artifacts import Artifacts, MemoryArtifacts, NoArtifacts
from worker.artifacts.folder import FolderArtifacts
from worker.artifacts.storage import EMULATOR, StorageArtifacts


class TestMemory(ArtifactsContract, RivalsContract):
    @pytest.fixture
    def artifacts(self) -> MemoryArtifacts:
        return MemoryArtifacts()

    @pytest.fixture
    def broken(self) -> Artifacts:
        return NoArtifacts()

    @pytest.fixture
    def read(self, artifacts: MemoryArtifacts) -> Read:
        return lambda address: dict(artifacts.bundles[address])


class TestFolder(ArtifactsContract, RivalsContract):
    @pytest.fixture
    def artifacts(self, tmp_path: Path) -> Artifacts:
        return FolderArtifacts(tmp_path / "not" / "there" / "yet")

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Artifacts:
        (tmp_path / "file").touch()
        return FolderArtifacts(tmp_path / "file" / "folder")  # root may write anywhere but here

    @pytest.fixture
    def read(self) -> Read:
        def read(address: str) -> dict[str, bytes]:
            files = [path for path in Path(address).rglob("*") if path.is_file()]
            return {path.relative_to(address).as_posix(): path.read_bytes() for path in files}

        return read


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with storage_emulator(tmp_path_factory.mktemp("storage")) as address:
        yield f"http://{address}"


@pytest.mark.server
class TestEmulator(ArtifactsContract):
    @pytest.fixture
    def artifacts(
        self, emulator: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> Artifacts:
        monkeypatch.setenv(EMULATOR, emulator)
        return StorageArtifacts(f"gs://{BUCKET}/{tmp_path.name}")  # the emulator is not empty

    @pytest.fixture
    def broken(self, emulator: str, monkeypatch: pytest.MonkeyPatch) -> Artifacts:
        monkeypatch.setenv(EMULATOR, emulator)
        return StorageArtifacts("gs://nobody-made-this-bucket/prefix")

    @pytest.fixture
    def read(self, emulator: str) -> Read:
        def read(address: str) -> dict[str, bytes]:
            client = Client.create_anonymous_client()
            prefix = address.removeprefix(f"gs://{BUCKET}/") + "/"
            found = client.list_blobs(BUCKET, prefix=prefix)
            return {blob.name.removeprefix(prefix): blob.download_as_bytes() for blob in found}

        return read


class TestStandIn(ArtifactsContract, RivalsContract):
    """Where preconditions hold, as they do in Cloud Storage."""

    @pytest.fixture
    def fake(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeStorage]:
        with FakeStorage() as fake:
            monkeypatch.setenv(EMULATOR, fake.url)
            yield fake

    @pytest.fixture
    def artifacts(self, fake: FakeStorage) -> Artifacts:
        return StorageArtifacts(f"gs://{BUCKET}")

    @pytest.fixture
    def broken(self, fake: FakeStorage) -> Artifacts:
        return StorageArtifacts("gs://nobody-made-this-bucket")

    @pytest.fixture
    def read(self, fake: FakeStorage) -> Read:
        def read(address: str) -> dict[str, bytes]:
            prefix = address.removeprefix(f"gs://{BUCKET}/") + "/"
            return {
                name.removeprefix(prefix): data
                for name, data in fake.objects.items()
                if name.startswith(prefix)
            }

        return read
