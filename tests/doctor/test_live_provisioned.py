"""What `provision` makes and doctor asks for is the same: neither corrects the other."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.doctor.healthy import ENVIRONMENT
from tests.support.cli import run
from tests.support.google import FakeGoogle


def _run(google: FakeGoogle, *words: str) -> Result:
    given = google.environment
    return run(
        *words, "--project", google.project, PUBSUB_EMULATOR_HOST=given["PUBSUB_EMULATOR_HOST"]
    )


def _findings(google: FakeGoogle, settings: Path) -> list[dict[str, Any]]:
    done = _run(google, "doctor", "--live", "--json", "--settings", str(settings))
    report = json.loads(done.stdout)
    return [one for one in report["findings"] if not one["where"].startswith(("deploy", "cloud"))]


def test_doctor_finds_nothing_in_what_provision_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    settings = tmp_path / "deploy.toml"
    settings.write_text(
        'alert_emails = ["somebody@example.com"]\nartifacts = "gs://demo-artifacts/features"\n'
    )
    provision = ("provision", "--yes", "--settings", str(settings))

    with FakeGoogle() as google:
        for name, value in google.environment.items():
            monkeypatch.setenv(name, value)
        google.apis_must_be_enabled = True
        assert _run(google, *provision).exit_code == 0
        assert [one["check"] for one in _findings(google, settings)] == ["service-missing"]

        google.service(env=ENVIRONMENT)
        assert _run(google, *provision).exit_code == 0
        assert _findings(google, settings) == []

        google.service(env=ENVIRONMENT | {"ACK_DEADLINE_SECONDS": "60"})
        (finding,) = _findings(google, settings)
        assert finding["check"] == "ack-deadline-short"
