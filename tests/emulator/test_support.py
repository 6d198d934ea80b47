"""Without a program its tests are skipped and say so in one line; in CI they fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.emulator import FIRESTORE, PUBSUB, find_installation
from tests.support.server import ROOT

pytestmark = pytest.mark.tools

# Tests that need a program -> what is said without it.
REASONS = [
    (["tests/emulator/test_delivery.py", "tests/emulator/test_publish.py"], PUBSUB.not_installed),
    (["tests/contracts/test_firestore_claims.py"], FIRESTORE.not_installed),
    (["tests/contracts/test_redis_claims.py"], "redis-server is not installed"),
]


def run_tests(
    folder: Path, tests: list[str], **environment: str
) -> "subprocess.CompletedProcess[str]":
    """The tests where PATH has none of those programs."""
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "PATH")}
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests],
        env={**kept, "PATH": str(folder), **environment},
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(("tests", "reason"), REASONS)
def test_a_machine_without_a_program_skips_its_tests_in_one_line(
    tmp_path: Path, tests: list[str], reason: str
) -> None:
    done = run_tests(tmp_path, tests)
    lines = [line for line in done.stdout.splitlines() if reason in line]
    assert len(lines) == 1, done.stdout
    assert lines[0].startswith("SKIPPED [")
    assert lines[0].endswith(f"skipped: {reason}")
    assert done.returncode == 0


@pytest.mark.parametrize(("tests", "reason"), REASONS)
def test_in_ci_a_missing_program_is_a_failure(
    tmp_path: Path, tests: list[str], reason: str
) -> None:
    done = run_tests(tmp_path, tests, CI="true")
    assert done.returncode == 1, done.stdout
    assert f"{reason}, and CI must not skip this" in done.stdout


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
