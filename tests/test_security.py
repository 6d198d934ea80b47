"""SECURITY.md says the code's numbers; what is installed is pinned; the image can be read-only."""

import importlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.contracts.edge import metadata, new_id
from tests.support.markdown import PAGES, table
from tests.support.rawhttp import post, request, send
from tests.support.server import ROOT, ServerProcess, with_probe_handlers

SECURITY = ROOT / "SECURITY.md"
LOCKS = sorted([*ROOT.glob("requirements*.txt"), *ROOT.glob("tests/**/requirements.txt")])
UNITS = {"KiB": 1024, "MiB": 1024 * 1024}
BOUNDS = table(SECURITY, "What")


@pytest.mark.parametrize("row", BOUNDS, ids=lambda row: row[2].strip("`"))
def test_a_bound_is_the_codes(row: list[str]) -> None:
    _, bound, constant = row
    module, _, name = constant.strip("`").partition(".")
    number, _, unit = bound.partition(" ")

    said = int(number.replace(",", "")) * UNITS.get(unit, 1)

    assert said == getattr(importlib.import_module(f"worker.{module}"), name)
    assert (unit == "s") == name.endswith("_SECONDS")


def test_security_is_one_of_the_pages_that_are_checked() -> None:
    assert SECURITY in PAGES


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: str(lock.relative_to(ROOT)))
def test_everything_that_is_installed_is_pinned_with_its_hashes(lock: Path) -> None:
    text = re.sub(r" *\\\n *", " ", lock.read_text())
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert lines
    for line in lines:
        assert re.match(r"[a-z0-9-]+(\[[a-z,]+\])?==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_nothing_is_installed_without_checking_hashes() -> None:
    for place in ("Dockerfile", "scripts/make-venv", "cloudbuild.yaml"):
        text = re.sub(r" *\\\n *", " ", (ROOT / place).read_text())
        installs = re.findall(r"pip.* install .*", text)
        assert installs, place
        assert all("--require-hashes" in line for line in installs), place
    assert "--only-binary=:all:" in (ROOT / "Dockerfile").read_text()


def test_the_image_does_not_run_as_root() -> None:
    _, _, last_stage = (ROOT / "Dockerfile").read_text().rpartition("\nFROM ")
    users = re.findall(r"^USER (.+)$", last_stage, re.MULTILINE)
    assert users
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", users[-1])
    behind = last_stage.partition(f"USER {users[-1]}")[2]
    assert re.findall(r"^(RUN|COPY|ADD|USER)\b", behind, re.MULTILINE) == []


class TestAudit:
    """scripts/audit, with something in the place of pip-audit."""

    def audit(self, folder: Path, auditor: str) -> subprocess.CompletedProcess[str]:
        stub = folder / "pip-audit"
        stub.write_text(f'#!/bin/sh\necho "$*" >>{folder}/asked\n{auditor}\n')
        stub.chmod(0o755)
        return subprocess.run(
            [ROOT / "scripts/audit", stub, "one.txt", "two.txt"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    def asked(self, folder: Path) -> list[str]:
        return (folder / "asked").read_text().splitlines()

    def test_each_lock_is_asked_about_with_its_hashes(self, tmp_path: Path) -> None:
        done = self.audit(tmp_path, "echo No known vulnerabilities found >&2")
        assert done.returncode == 0
        assert done.stdout == "== pip-audit one.txt\n== pip-audit two.txt\n"
        for lock, arguments in zip(("one.txt", "two.txt"), self.asked(tmp_path), strict=True):
            assert arguments.endswith(f"-r {lock}")
            assert "--require-hashes" in arguments

    @pytest.mark.parametrize(
        "auditor",
        [
            "echo 'x 1.0 PYSEC-1'; echo 'Found 1 known vulnerability in 1 package' >&2; exit 1",
            "echo 'ERROR: requirement x==1 does not contain a hash' >&2; exit 1",
            "exit 2",
        ],
    )
    def test_a_vulnerability_or_a_broken_lock_fails(self, tmp_path: Path, auditor: str) -> None:
        done = self.audit(tmp_path, auditor)
        assert done.returncode == 1
        assert len(self.asked(tmp_path)) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "requests.exceptions.ConnectionError: no route",
            "requests.exceptions.ReadTimeout: too slow",
            "ERROR:pip_audit._cli:Could not connect to the vulnerability feed",
            "ERROR:pip_audit._cli:x: Dependency not found and could not be audited: x (1)",
        ],
    )
    def test_without_a_service_to_ask_it_says_so_in_one_line_and_goes_on(
        self, tmp_path: Path, text: str
    ) -> None:
        done = self.audit(tmp_path, f"echo 'a traceback' >&2; echo '{text}' >&2; exit 1")
        assert (done.returncode, done.stderr) == (0, "")
        *_, last = done.stdout.splitlines()
        assert last == "not audited: the advisory service cannot be reached from here"
        assert len(self.asked(tmp_path)) == 1

    def test_ci_audits_and_what_it_prints_comes_before_the_tests(self) -> None:
        script = (ROOT / ".ci/run").read_text()
        assert script.index("make audit") < script.index("make check")


_READ_ONLY = """
import errno, os, sys

WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.link", "os.symlink", "os.truncate", "os.chmod"}

def read_only(event, arguments):
    path = str(arguments[0]) if arguments else ""
    changes = event in CHANGES or (event == "open" and (arguments[2] or 0) & WRITES)
    if changes and not path.isdigit() and not path.startswith("/dev/"):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

sys.addaudithook(read_only)
sys.dont_write_bytecode = True
from worker.cli import main
main(["serve"])
"""


@pytest.mark.server
def test_the_server_runs_where_nothing_can_be_written(tmp_path: Path) -> None:
    """Each attempt to write a file fails, as on a read-only file system, whoever runs this."""
    folder = with_probe_handlers(tmp_path)
    before = sorted(folder.rglob("*"))
    with ServerProcess(folder, {"HOME": "/nonexistent"}, ("-c", _READ_ONLY)) as server:
        for payload, status in [
            (b'{"feature":"smoke_test"}', 200),
            (b'{"feature":"crash"}', 500),
            (b"nonsense", 500),  # it cannot be kept, so it is not acked
            (b'{"feature":"smoke_test"}', 200),
        ]:
            assert post(server.port, payload, metadata(new_id())).status == status
        assert send(server.port, request("GET", "/smoke-test/")).status == 200
        kept = server.wait_for(lambda entry: entry.get("outcome") == "rejected")
        assert os.strerror(30) in kept["reason"]
        assert server.stop() == 0
        assert server.stderr() == ""
    assert sorted(set(folder.rglob("*")) - {folder / "stderr.txt"}) == before
