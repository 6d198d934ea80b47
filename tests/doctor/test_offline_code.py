"""Handlers that do not load, packages that are not locked, a server that stops too late."""

from pathlib import Path

import pytest

from tests.doctor.checkout import DEPLOYMENT, FILES, NO_PROGRAMS, line_of, names, planted, write
from tests.support.server import ROOT
from worker.doctor import code, grace, offline
from worker.doctor.dockerfile.reading import read_dockerfile
from worker.doctor.folder import Folder
from worker.doctor.report import Report

BEAT = FILES["handlers/beat.py"]


def folder_of(path: Path) -> Folder:
    return Folder(path, NO_PROGRAMS)


def examined(path: Path, **changed: str | None) -> Report:
    """The report of a whole checkout; gcloud is not there."""
    return offline.examine(folder_of(write(path, **changed)), DEPLOYMENT)


def reasons(report: Report) -> dict[str, str]:
    return {one.check: one.reason for one in report.not_checked}


def test_in_a_good_checkout_nothing_is_found(tmp_path: Path) -> None:
    report = examined(tmp_path)
    assert report.findings == ()
    made = {check.name for check in offline.CHECKS} - set(report.checked)
    assert made == {
        "gcloud-command-wrong", "image-bytecode-missing", "image-large", "image-without-labels",
        "image-unreadable", "file-unreadable",
    }  # fmt: skip


def test_a_handler_that_cannot_be_imported_is_one_finding(tmp_path: Path) -> None:
    write(tmp_path, **{"handlers/beat.py": "import nothing_like_this\n"})
    (finding,) = code.examine_handlers(folder_of(tmp_path), "handlers")
    assert finding.check == "handlers-broken"
    assert "cannot import handlers.beat: ModuleNotFoundError" in finding.what


def test_a_handler_that_ends_the_process_is_one_finding(tmp_path: Path) -> None:
    write(tmp_path, **{"handlers/beat.py": "import os\nos._exit(3)\n"})
    (finding,) = code.examine_handlers(folder_of(tmp_path), "handlers")
    assert (finding.check, finding.what) == ("handlers-broken", "the process ended without a word")


def test_handlers_that_never_load_are_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code, "_LOAD_SECONDS", 0.0)
    (finding,) = code.examine_handlers(folder_of(write(tmp_path)), "handlers")
    assert (finding.check, finding.what) == ("handlers-broken", "loading took more than 0 s")


def test_a_folder_without_handlers_is_a_finding(tmp_path: Path) -> None:
    write(tmp_path, **{"handlers/beat.py": ""})
    (finding,) = code.examine_handlers(folder_of(tmp_path), "handlers")
    assert finding.check == "handlers-none"


def test_the_handlers_that_are_deployed_are_loaded(tmp_path: Path) -> None:
    text = planted(FILES["cloudbuild.yaml"], "PUSH_AUTH", "HANDLERS=mine,PUSH_AUTH")
    report = examined(tmp_path, **{"cloudbuild.yaml": text, "mine.py": BEAT})
    assert report.findings == ()
    (tmp_path / "mine.py").unlink()
    report = offline.examine(folder_of(tmp_path), DEPLOYMENT)
    assert [(one.check, one.where) for one in report.findings] == [("handlers-broken", "mine")]


@pytest.mark.parametrize(
    ("lock", "line", "what"),
    [
        ("a==1 \\\n    --hash=sha256:00\nb==2\n", 3, "b==2 has no hash"),
        ("# no\n\na>=1 --hash=sha256:00\n", 3, "a>=1 is not pinned with =="),
        ("a==1 \\", 1, "a==1 has no hash"),
        ("a[x]\n", 1, "a[x] is not pinned with =="),
        ("a @ https://example.com/a.whl", 1, "a is not pinned with =="),
    ],
)
def test_a_package_that_is_not_locked_is_found(lock: str, line: int, what: str) -> None:
    (finding,) = code.examine_requirements(lock, "requirements.txt")
    assert finding.check == "requirements-not-locked"
    assert (finding.where, finding.what) == (f"requirements.txt:{line}", what)


def test_our_lock_is_a_good_one() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    assert list(code.examine_requirements(lock, "requirements.txt")) == []


@pytest.mark.parametrize(
    ("requires", "fits"),
    [
        (">=3.11,<3.14", True), (">=3.11,<3.13", False), (">=3.14", False), ("==3.13.*", True),
        ("~=3.12", True), ("<=3.12", False), (">3.12", True), ("", True),
    ],
)  # fmt: skip
def test_the_images_python_is_one_that_is_supported(requires: str, fits: bool) -> None:
    dockerfile = read_dockerfile(FILES["Dockerfile"])
    found = list(code.examine_python(dockerfile, requires))
    assert names(found) == ([] if fits else ["python-not-supported"] * 2)


THREAD = "import threading\n\ndef later() -> None:\n    threading.Thread(target=print).start()\n"


def test_a_handler_that_leaves_work_behind_is_found(tmp_path: Path) -> None:
    report = examined(tmp_path, **{"handlers/beat.py": BEAT + THREAD})
    (finding,) = report.findings
    assert finding.check == "background-work-throttled"
    assert finding.where == f"handlers/beat.py:{line_of(BEAT + THREAD, 'Thread(')}"


def test_work_that_is_awaited_or_has_its_cpu_is_no_finding(tmp_path: Path) -> None:
    awaited = BEAT + THREAD.replace(".start()", ".join()")
    assert examined(tmp_path / "a", **{"handlers/beat.py": awaited}).findings == ()
    text = planted(FILES["cloudbuild.yaml"], "--cpu=1", "--cpu=1 --no-cpu-throttling")
    changed = {"handlers/beat.py": BEAT + THREAD, "cloudbuild.yaml": text}
    assert examined(tmp_path / "b", **changed).findings == ()


def test_a_server_that_stops_too_late_is_found() -> None:
    (finding,) = grace.examine(10.0)
    assert finding.check == "graceful-timeout-long"
    assert list(grace.examine(9.0)) == []


def test_ours_stops_in_time() -> None:
    assert 0 < grace.graceful_seconds() < 10


@pytest.mark.parametrize("missing", ["cloudbuild.yaml", "Dockerfile", "requirements.txt"])
def test_what_is_not_there_is_not_checked(tmp_path: Path, missing: str) -> None:
    changed: dict[str, str | None] = {missing: None}
    if missing == "requirements.txt":
        changed["Dockerfile"] = None  # which copies it
    report = examined(tmp_path, **changed)
    assert report.findings == ()
    assert f"{missing} is not there" in reasons(report).values()


@pytest.mark.parametrize(
    ("name", "text", "where"),
    [
        ("cloudbuild.yaml", "a: b\n c: d\n", "cloudbuild.yaml:2"),
        ("Dockerfile", "FROM a\nWORKDIRR b\n", "Dockerfile:2"),
        ("pyproject.toml", "[project\n", "pyproject.toml"),
    ],
)
def test_a_broken_file_is_one_finding_with_its_line(
    tmp_path: Path, name: str, text: str, where: str
) -> None:
    report = examined(tmp_path, **{name: text})
    assert [(one.check, one.where) for one in report.findings] == [("file-unreadable", where)]


def test_files_that_are_no_text_are_findings(tmp_path: Path) -> None:
    write(tmp_path)
    for name in (".dockerignore", "requirements.txt", "pyproject.toml"):
        (tmp_path / name).write_bytes(b"\xff")
    report = offline.examine(folder_of(tmp_path), DEPLOYMENT)
    assert {one.where for one in report.findings} == {".dockerignore", "requirements.txt"}
    (tmp_path / ".dockerignore").unlink()
    report = offline.examine(folder_of(tmp_path), DEPLOYMENT)
    assert {one.where for one in report.findings} == {"pyproject.toml", "requirements.txt"}


def test_a_file_of_variables_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    text = planted(FILES["cloudbuild.yaml"], "--set-env-vars=", "--env-vars-file=e.yaml --labels=")
    report = examined(tmp_path, **{"cloudbuild.yaml": text})
    assert names(report.findings) == ["file-unreadable"]
    assert "e.yaml, which --env-vars-file names, is not there" in report.findings[0].what
    assert reasons(report)["memory-small"] == "the variables cannot be understood"


def test_a_build_that_deploys_nothing_has_no_settings_to_check(tmp_path: Path) -> None:
    build = "steps:\n  - name: x\n    args: [y]\n"
    report = examined(tmp_path, **{"cloudbuild.yaml": build})
    assert report.findings == ()
    assert reasons(report)["push-auth-missing"] == "cloudbuild.yaml has no `gcloud run deploy`"


def test_a_broken_deploy_toml_is_one_finding(tmp_path: Path) -> None:
    report = offline.examine(folder_of(write(tmp_path)), "deploy.toml is no TOML: line 3")
    (finding,) = report.findings
    assert (finding.check, finding.what) == ("deployment-invalid", "deploy.toml is no TOML: line 3")
    assert reasons(report)["memory-small"] == "deploy.toml makes no deployment"
