"""ARTIFACTS=folder:PATH: what a crash, a full disk and others in the folder leave."""

import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.contracts.artifacts import check_whole
from tests.support.server import ROOT
from worker.artifacts import MANIFEST, ArtifactsFailed
from worker.artifacts.folder import FolderArtifacts

FILES = {"plot.png": b"1" * 5000, "deep/table.csv": b"2" * 5000}
FEWEST_LINES = 60  # that a keep executes
MADE = f"from worker.artifacts.folder import FolderArtifacts\nFILES = {FILES!r}\n"

# Prints how many processes were killed, each at the next line, until one came to its end.
KILLED_AT_EACH_LINE = """
import os, sys
from itertools import count
from pathlib import Path
from tests.faults.killpoints import Killer
for at in count(1):
    pid = os.fork()
    if not pid:
        place = FolderArtifacts(Path(sys.argv[1], str(at)))
        sys.settrace(Killer(at))
        place.keep("reports/17", FILES)
        os._exit(0)
    if not os.waitpid(pid, 0)[1]:
        break
print(at - 1)
"""

KEPT_ON_A_FULL_DISK = """
import sys
from pathlib import Path
from worker.artifacts import ArtifactsFailed
try:
    FolderArtifacts(Path(sys.argv[1])).keep("reports/17", FILES)
except ArtifactsFailed as failed:
    print(failed)
"""


def run(script: str, folder: Path, preexec: Callable[[], None] | None = None) -> str:
    done = subprocess.run(
        [sys.executable, "-c", MADE + script, str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT, preexec_fn=preexec, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def files_of(bundle: Path) -> dict[str, bytes]:
    files = [path for path in bundle.rglob("*") if path.is_file()]
    return {path.relative_to(bundle).as_posix(): path.read_bytes() for path in files}


def test_wherever_a_process_is_killed_the_bundle_is_whole_or_absent(tmp_path: Path) -> None:
    killed = int(run(KILLED_AT_EACH_LINE, tmp_path))

    assert killed >= FEWEST_LINES
    names = {path.name for path in tmp_path.glob("*/reports/*")} - {"17"}
    assert names, "none was killed while it wrote"
    assert all(name.startswith(".") for name in names)
    left = []
    for at in range(1, killed + 1):
        place = FolderArtifacts(tmp_path / str(at))
        left.append(place.find("reports/17"))
        address = place.keep("reports/17", FILES)
        assert left[-1] in (None, address)
        check_whole(files_of(Path(address)))
        assert files_of(Path(address)).keys() == {*FILES, MANIFEST}
    assert None in left
    assert left[-1] is not None


def test_a_full_disk_fails_clearly_and_leaves_nothing(tmp_path: Path) -> None:
    """In a process of its own: the limit on the size of files stands in for a full disk."""

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    said = run(KEPT_ON_A_FULL_DISK, tmp_path, limit)

    assert said == f"cannot write to {tmp_path}: File too large\n"
    assert list((tmp_path / "reports").iterdir()) == []


def test_everything_is_synced_before_and_after_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    sync, rename = os.fsync, Path.rename

    def note_sync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        sync(descriptor)

    def note_rename(self: Path, target: Path) -> Path:
        synced.append(Path("renamed"))
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", note_sync)
    monkeypatch.setattr(Path, "rename", note_rename)
    FolderArtifacts(tmp_path / "new").keep("reports/17", FILES)

    at = synced.index(Path("renamed"))
    before = [path.name for path in synced[:at]]
    assert {*before} >= {tmp_path.name, "new", "plot.png", "table.csv", MANIFEST, "deep"}
    assert any(name.startswith(".") for name in before), "the bundle's folder itself"
    assert synced[at + 1 :] == [tmp_path / "new" / "reports"]


def test_a_reader_never_sees_a_part_of_a_bundle(tmp_path: Path) -> None:
    """Another thread looks as fast as it can while bundles are kept."""
    place, done = FolderArtifacts(tmp_path), threading.Event()
    seen: list[int] = []

    def read() -> None:
        last = False
        while not last:
            last = done.is_set()  # and once more when all is written
            for path in tmp_path.glob("reports/[0-9]*"):
                check_whole(files_of(path))
                seen.append(int(path.name))

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(read)
        for number in range(100):
            place.keep(f"reports/{number}", FILES)
        done.set()
        reader.result()
    assert seen


def test_a_folder_that_is_in_the_way_is_told(tmp_path: Path) -> None:
    (tmp_path / "reports" / "17" / "somebody's").mkdir(parents=True)

    with pytest.raises(ArtifactsFailed, match=f"cannot write to {tmp_path}: Directory not empty"):
        FolderArtifacts(tmp_path).keep("reports/17", FILES)

    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["17"]


def test_the_address_is_the_folder_as_the_setting_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert FolderArtifacts(Path("artifacts")).keep("reports/17", FILES) == "artifacts/reports/17"
