"""The folder in which bundles are tried: what a child gets, what it leaves, how it is stopped."""

import os
import sys
import tempfile
import threading
import tomllib
from pathlib import Path

import pytest

from tests.support.server import ROOT
from worker.builder import sandbox as sandbox_module
from worker.builder.order import BuildFailed
from worker.builder.sandbox import Ran, sandbox

pytestmark = pytest.mark.tools

HANGS = """
import pathlib, subprocess, sys, time
code = "import time; time.sleep(600)"
child = subprocess.Popen([sys.executable, "-c", code])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
time.sleep(600)
"""
LEAVES_A_CHILD = HANGS.replace("\ntime.sleep(600)\n", "\n")


def run(*words: str, seconds: float = 30) -> Ran:
    with sandbox({}, "verifying", seconds, with_worker=False) as box:
        return box.run(*words)


def is_running(pid: int) -> bool:
    """Not gone, and no zombie that waits for its new parent."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wait_until_gone(pid: int) -> None:
    """A killed process needs a moment to die. The test's time limit ends an endless one."""
    while is_running(pid):
        os.sched_yield()


needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc")


def test_a_child_gets_none_of_our_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GOOGLE_APPLICATION_CREDENTIALS", "AWS_SECRET_ACCESS_KEY", "GH_TOKEN", "X"):
        monkeypatch.setenv(name, "secret-value")
    ran = run("-c", "import os; print(dict(os.environ))")
    assert ran.code == 0
    assert "secret-value" not in ran.output


def test_home_and_temporary_files_are_in_the_folder() -> None:
    with sandbox({}, "verifying", 30, with_worker=False) as box:
        ran = box.run("-c", "import os, tempfile; print(os.environ['HOME'], tempfile.mkdtemp())")
        assert all(Path(word).is_relative_to(box.folder) for word in ran.output.split())


def spoiled(folders: list[Path]) -> None:
    with sandbox({"a/b.txt": "x"}, "verifying", 30, with_worker=False) as box:
        assert (box.folder / "a/b.txt").read_text() == "x"
        assert box.folder.stat().st_mode & 0o077 == 0
        folders.append(box.folder)
        raise ZeroDivisionError


def test_the_folder_is_the_owners_alone_and_goes_even_when_something_is_raised() -> None:
    folders: list[Path] = []
    with pytest.raises(ZeroDivisionError):
        spoiled(folders)
    assert [folder.exists() for folder in folders] == [False]


def test_without_a_place_for_temporary_files_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(BuildFailed, match="no temporary folder: No such file") as failed:
        run("-c", "")
    assert failed.value.again


def test_removing_the_folder_leaves_the_worker_alone() -> None:
    with sandbox({}, "verifying", 30, with_worker=True) as box:
        assert (box.folder / "worker" / "__init__.py").exists()
    assert (ROOT / "worker" / "__init__.py").exists()


@needs_proc
def test_at_the_time_limit_a_child_dies_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with pytest.raises(BuildFailed) as failed:
        run("-c", HANGS, str(pid), seconds=4)
    assert (failed.value.stage, failed.value.again) == ("verifying", True)
    wait_until_gone(int(pid.read_text()))


@needs_proc
def test_what_a_child_leaves_behind_is_killed(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    assert run("-c", LEAVES_A_CHILD, str(pid)).code == 0
    wait_until_gone(int(pid.read_text()))


def test_no_time_left_is_the_time_limit() -> None:
    with pytest.raises(BuildFailed, match="time limit"):
        run("-c", "import time; time.sleep(600)", seconds=-1)


def test_all_tools_together_have_the_time() -> None:
    now = [0.0]
    with sandbox({}, "generating", 30, with_worker=False) as box:
        late = sandbox_module.Sandbox(box.folder, box.stage, 10.0, clock=lambda: now[0])
        assert late.run("-c", "").code == 0
        now[0] = 11.0
        with pytest.raises(BuildFailed, match="generating"):
            late.run("-c", "import time; time.sleep(600)")


def test_of_endless_output_the_beginning_is_read() -> None:
    ran = run("-c", "print('x' * 1_000_000)")
    assert ran.code == 0
    assert len(ran.output) == 64 * 1024


@pytest.mark.skipif(sys.platform != "linux", reason="limits are set from outside on Linux only")
def test_a_child_cannot_fill_the_disk() -> None:
    code = "f = open('big', 'wb'); f.write(bytes(80_000_000)); f.flush()"
    assert run("-c", code).code != 0


def test_a_child_that_reads_gets_nothing() -> None:
    assert run("-c", "import sys; print(repr(sys.stdin.read()))").output == "''\n"


def test_it_works_from_a_thread_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    done: list[Ran] = []
    thread = threading.Thread(target=lambda: done.append(run("-c", "print(1)")))
    thread.start()
    thread.join()
    assert done == [Ran(0, "1\n")]
    assert list(tmp_path.iterdir()) == []


def test_its_rules_are_the_projects() -> None:
    """What only the project's own files need is left out: named here, so that nothing is lost."""
    ours = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    theirs = tomllib.loads(Path(sandbox_module.__file__).with_name("sandbox.toml").read_text())
    assert theirs.keys() == {"tool"}
    mine = theirs["tool"]

    lint = ours["ruff"]["lint"]
    ignores = lint["per-file-ignores"]
    lint["per-file-ignores"] = {"tests/**": ignores["tests/**"]}
    for tools in (lint, mine["ruff"]["lint"]):
        tools["ignore"] = set(tools["ignore"])
        tools["per-file-ignores"]["tests/**"] = set(tools["per-file-ignores"]["tests/**"])
    assert mine["ruff"] == ours["ruff"]

    for name in ("files", "untyped_calls_exclude", "overrides"):
        del ours["mypy"][name]
    assert mine["mypy"] == ours["mypy"]
    assert mine["pydantic-mypy"] == ours["pydantic-mypy"]

    pytests = ours["pytest"]["ini_options"]
    for name in ("minversion", "testpaths", "timeout", "markers"):
        del pytests[name]
    assert mine["pytest"]["ini_options"] == pytests
