"""`python -m worker doctor`: what it says, what it exits with, and what its page says."""

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.doctor.checkout import FILES, planted, write
from tests.support.cli import run
from tests.support.server import ROOT
from worker.deployment import Deployment
from worker.doctor import everything, offline
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live import CHECKS as LIVE
from worker.doctor.report import Report, examined, skipped
from worker.rest import CallFailed

PAGE = ROOT / "docs" / "doctor.md"
ROOT_USER = {"Dockerfile": planted(FILES["Dockerfile"], "USER 10001:10001\n", "")}
PUBLIC = {
    "cloudbuild.yaml": planted(FILES["cloudbuild.yaml"], "--no-allow", "--allow")
}  # fmt: skip
KNOWN_NOTE = {
    "cloudbuild.yaml": planted(FILES["cloudbuild.yaml"], "PUSH_AUTH", "COLOUR=blue,PUSH_AUTH")
}


def doctor(folder: Path, *words: str) -> Result:
    with contextlib.chdir(folder):
        return run("doctor", *words, PATH="/nowhere")


def as_json(folder: Path, *words: str) -> dict[str, Any]:
    return dict(json.loads(doctor(folder, "--json", *words).stdout))


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Deployment]:
    """The deployments whose project is asked; nothing is wrong there."""
    deployments: list[Deployment] = []

    def examine(_project: object, deployment: Deployment) -> list[Finding]:
        deployments.append(deployment)
        return []

    monkeypatch.setattr("worker.doctor.live.examine", examine)
    return deployments


@pytest.mark.parametrize(
    ("changed", "code", "verdict"),
    [
        ({}, 0, "healthy"),
        (KNOWN_NOTE, 0, "healthy"),
        (ROOT_USER, 1, "warnings"),
        ({**ROOT_USER, **PUBLIC}, 2, "errors"),
    ],
)
def test_the_exit_code_is_that_of_the_worst_finding(
    tmp_path: Path, changed: dict[str, str], code: int, verdict: str
) -> None:
    result = doctor(write(tmp_path, **changed), "--offline", "--json")
    assert result.exit_code == code, result.output
    assert json.loads(result.stdout)["verdict"] == verdict


def test_it_shows_errors_first_each_with_its_reason_and_what_mends_it(tmp_path: Path) -> None:
    result = doctor(write(tmp_path, **ROOT_USER, **PUBLIC), "--offline")
    lines = result.stdout.splitlines()
    assert lines[0].startswith("error    cloudbuild.yaml:17: PUSH_AUTH=cloud-run-iam with --allow")
    assert lines[0].endswith("[public-trusts-iam]")
    assert lines[1].startswith("    why: IAM lets everybody in")
    assert lines[2].startswith("    fix: deploy with --no-allow-unauthenticated")
    assert lines[4].startswith("warning  Dockerfile: the container runs as root")
    assert "1 error, 1 warning, 0 notes; " in result.stdout
    assert "not checked: gcloud-command-wrong: gcloud is not installed" in result.stdout
    assert ": --offline" in lines[-1]
    assert result.stderr == ""


def test_for_machines_it_says_what_was_checked_and_what_not(tmp_path: Path) -> None:
    said = as_json(write(tmp_path, **ROOT_USER), "--offline")
    assert list(said) == ["verdict", "findings", "checked", "not_checked"]
    (finding,) = said["findings"]
    assert list(finding) == ["check", "severity", "where", "what", "why", "fix"]
    assert finding["severity"] == "warning"
    made = [*said["checked"], *(one["check"] for one in said["not_checked"])]
    # Each check once; `file-unreadable` is there only when a file is.
    assert sorted([*made, "file-unreadable"]) == sorted(one.name for one in everything.all_checks())


def test_offline_it_asks_nobody(tmp_path: Path, asked: list[Deployment]) -> None:
    doctor(write(tmp_path), "--offline", "--project", "demo-project")
    assert asked == []


@pytest.mark.parametrize("words", [(), ("--live",)])
def test_a_project_that_is_known_is_asked(
    tmp_path: Path, asked: list[Deployment], words: tuple[str, ...]
) -> None:
    said = as_json(write(tmp_path), *words, "--project=demo-project")
    assert [one.project for one in asked] == ["demo-project"]
    assert {one.name for one in LIVE} <= set(said["checked"])
    assert said["verdict"] == "healthy"


def test_a_project_that_is_not_known_is_not_asked(tmp_path: Path, asked: list[Deployment]) -> None:
    said = as_json(write(tmp_path))
    assert said["verdict"] == "healthy"
    reasons = {one["reason"] for one in said["not_checked"]}
    assert "the project is not known (give --project, or set GOOGLE_CLOUD_PROJECT)" in reasons
    assert asked == []


def test_that_no_project_can_be_asked_is_an_error_if_it_was_wanted(tmp_path: Path) -> None:
    said = as_json(write(tmp_path), "--live")
    (finding,) = said["findings"]
    assert (finding["check"], finding["severity"]) == ("live-not-asked", "error")


@pytest.mark.parametrize(("words", "severity"), [((), "note"), (("--live",), "error")])
def test_a_project_that_cannot_be_asked_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], severity: str
) -> None:
    def examine(_project: object, _deployment: Deployment) -> list[Finding]:
        raise CallFailed("no credentials: run `gcloud auth application-default login`")

    monkeypatch.setattr("worker.doctor.live.examine", examine)
    said = as_json(write(tmp_path), "--project=demo-project", *words)
    (finding,) = said["findings"]
    assert (finding["check"], finding["severity"]) == ("live-not-asked", severity)
    assert finding["what"].startswith("no credentials")
    assert {one.name for one in LIVE} <= {one["check"] for one in said["not_checked"]}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("region = ", "deploy.toml is no TOML"),
        ("ack_deadline_seconds = 5\n", "ack_deadline_seconds does not fit (want 10 to 600)"),
        ('project = "NO"\n', "project does not fit"),
    ],
)
def test_a_deploy_toml_that_makes_no_deployment_is_a_finding(
    tmp_path: Path, text: str, what: str
) -> None:
    said = as_json(write(tmp_path, **{"deploy.toml": text}))
    (finding,) = said["findings"]
    assert finding["check"] == "deployment-invalid"
    assert what in finding["what"]
    reasons = {one["reason"] for one in said["not_checked"]}
    assert "deploy.toml makes no deployment" in reasons


def test_another_file_of_settings_can_be_named(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text('service = "another"\n')
    said = as_json(write(tmp_path), "--offline", "--settings", str(other))
    assert [one["check"] for one in said["findings"]] == ["deployment-differs"]


def test_an_image_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    result = doctor(tmp_path, "--image", "none.tar")
    assert result.exit_code == 2
    assert result.stderr == "error: --image: there is no file none.tar\n"


def test_an_empty_folder_is_no_crash(tmp_path: Path) -> None:
    said = as_json(tmp_path, "--offline")
    assert {one["check"] for one in said["findings"]} <= {"handlers-broken"}


def test_ours_is_healthy() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker", "doctor", "--offline", "--json"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert json.loads(done.stdout)["findings"] == []
    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_that_a_terminal_would_act_on_is_printed(tmp_path: Path) -> None:
    text = planted(FILES["Dockerfile"], "USER 10001:10001", "USER \x1b[2Jme")
    assert "\x1b" not in doctor(write(tmp_path, Dockerfile=text), "--offline").stdout


NOTE = Check("a-note", Severity.NOTE, "it is", "why", "fix")
ERROR = Check("an-error", Severity.ERROR, "it is", "why", "fix")


def test_reports_add_up_and_keep_their_order() -> None:
    report = examined([NOTE], [found(NOTE, "a", "one"), found(NOTE, "b", "two")])
    report += examined([ERROR], [found(ERROR, "c", "three", "another fix")]) + skipped([NOTE], "x")
    assert [one.what for one in report.worst_first()] == ["three", "one", "two"]
    assert report.worst_first()[0].fix == "another fix"
    assert (report.verdict, report.exit_code) == ("errors", 2)
    assert [report.count(one) for one in Severity] == [1, 0, 2]
    assert Report().verdict == "healthy"


def test_names_are_unique_within_the_folder_and_within_the_project() -> None:
    for checks in (offline.CHECKS, LIVE):
        assert len({one.name for one in checks}) == len(checks)


def test_a_check_of_both_is_as_bad_in_both() -> None:
    here = {one.name: one.severity for one in offline.CHECKS}
    there = {one.name: one.severity for one in LIVE if one.name in here}
    assert there == {name: here[name] for name in there}


def test_every_text_of_a_check_is_one_line() -> None:
    for check in everything.all_checks():
        texts = (check.name, check.title, check.why, check.fix)
        assert all(text and "\n" not in text and "|" not in text for text in texts), check.name


@pytest.mark.parametrize("checks", [(*offline.CHECKS, everything.NOT_ASKED), LIVE])
def test_the_page_has_every_check_as_it_is_in_the_code(checks: tuple[Check, ...]) -> None:
    rows = "".join(
        f"| `{one.name}` | {one.severity} | {one.title} | {one.why} | {one.fix} |\n"
        for one in checks
    )
    table = (
        f"| Check | Severity | Asks whether | Why | What mends it |\n|---|---|---|---|---|\n{rows}"
    )
    if f"{table}\n" not in PAGE.read_text() + "\n":
        pytest.fail(f"doctor.md wants this table:\n{table}", pytrace=False)
