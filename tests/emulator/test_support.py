"""Without the emulator its tests are skipped and say so in one line; in CI they fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.emulator.support import find_installation
from tests.support.server import ROOT

REASON = "gcloud's Pub/Sub emulator is not installed (gcloud components install pubsub-emulator)"


def run_tests(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Two of the emulator tests where PATH has neither gcloud nor java."""
    tests = ["tests/emulator/test_delivery.py", "tests/emulator/test_publish.py"]
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "PATH")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests],
        env={**kept, "PATH": str(folder), **environment},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_a_machine_without_the_emulator_skips_its_tests_in_one_line(tmp_path: Path) -> None:
    done = run_tests(tmp_path)
    lines = [line for line in done.stdout.splitlines() if REASON in line]
    assert len(lines) == 1, done.stdout
    assert lines[0].startswith("SKIPPED [")
    assert lines[0].endswith(f"skipped: {REASON}")
    assert done.returncode == 0


def test_in_ci_a_missing_emulator_is_a_failure(tmp_path: Path) -> None:
    done = run_tests(tmp_path, CI="true")
    assert done.returncode == 1, done.stdout
    assert f"{REASON}, and CI must not skip this" in done.stdout


def test_the_emulator_is_found_beside_gcloud_or_where_gcloud_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, sdk, other = (tmp_path / name for name in ("path", "sdk", "other"))
    monkeypatch.setenv("PATH", str(path))
    make_program(path / "java", "exit 1")
    gcloud = make_program(sdk / "bin" / "gcloud", f"echo {other}")
    (path / "gcloud").symlink_to(gcloud)
    assert find_installation() is None

    for root in (other, sdk):  # what gcloud says is asked only if nothing is beside it
        jar = root / "platform/pubsub-emulator/lib/cloud-pubsub-emulator-0.8.20-all.jar"
        jar.parent.mkdir(parents=True)
        jar.touch()
        found = find_installation()
        assert found is not None
        assert found.jar == jar

    (path / "java").unlink()
    assert find_installation() is None


def make_program(path: Path, script: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    shell = shutil.which("sh", path="/bin:/usr/bin")
    path.write_text(f"#!{shell}\n{script}\n")
    path.chmod(0o755)
    return path
