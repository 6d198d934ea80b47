"""`gcloud builds submit`: what it uploads, and what it asks Cloud Build for."""

import os
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cloudbuild.config import ALWAYS, BUILD_ID
from tests.support.google import FakeGoogle
from tests.support.server import ROOT
from tests.support.standin import Call, Reply, StandIn
from tests.support.tools import tool
from worker.deployment import Deployment
from worker.provision.nextsteps import SUBSTITUTED, build_command, substitution

pytestmark = pytest.mark.emulator
_SECONDS = 60


def _taken(call: Call) -> Reply:
    """Source: cloudbuild v1 projects.locations.builds.create, an Operation."""
    project = ALWAYS["PROJECT_ID"]
    build = {**call.json(), "id": BUILD_ID, "projectId": project, "status": "QUEUED"}
    kind = "type.googleapis.com/google.devtools.cloudbuild.v1.BuildOperationMetadata"
    name = f"operations/build/{project}/{BUILD_ID}"
    return Reply.json({"name": name, "metadata": {"@type": kind, "build": build}})


def _gcloud(words: list[str], environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        [tool("gcloud"), *words],
        cwd=ROOT, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def submitted() -> dict[str, Any]:
    """The build that the command which provision prints asks for."""
    others = Deployment(project="demo-project", region="us-central1", ack_deadline_seconds=60)
    words = shlex.split(build_command(others))
    assert words.pop(0) == "gcloud"
    with FakeGoogle() as google, StandIn(_taken) as cloud_build:
        direct = {"CLOUDSDK_API_ENDPOINT_OVERRIDES_CLOUDBUILD": f"{cloud_build.url}/"}
        environment = {
            name: value
            for name, value in google.environment.items()
            if not name.startswith("CLOUDSDK_PROXY_")
        }
        _gcloud([*words, "--no-source", "--async"], environment | direct)
        (call,) = cloud_build.calls
    return dict(call.json())


def test_what_provision_prints_is_a_build_that_gcloud_takes(submitted: dict[str, Any]) -> None:
    assert submitted["options"] == {
        "dynamicSubstitutions": True,
        "logging": "CLOUD_LOGGING_ONLY",
        "requestedVerifyOption": "VERIFIED",
    }
    assert submitted["serviceAccount"] == (
        "projects/$PROJECT_ID/serviceAccounts/${_BUILD_ACCOUNT}@$PROJECT_ID.iam.gserviceaccount.com"
    )
    assert submitted["images"] == ["${_IMAGE}:${_TAG}", "${_IMAGE}:latest"]
    values = submitted["substitutions"]
    assert values["_REGION"] == "us-central1"
    assert values["_ACK_DEADLINE_SECONDS"] == "60"
    assert values["_SERVICE"] == "feature-worker"
    (smoke,) = [step for step in submitted["steps"] if step["id"] == "smoke"]
    assert smoke["allowFailure"] is True


def test_each_setting_that_the_build_has_is_one_that_provision_hands_over() -> None:
    text = (ROOT / "cloudbuild.yaml").read_text()
    declared = set(re.findall(r"^  (_[A-Z_]+):", text, re.MULTILINE))
    assert declared - {"_TAG", "_IMAGE", "_REQUIREMENTS", "_SMOKE_WAIT"} == {
        substitution(setting) for setting in SUBSTITUTED
    }


def test_what_is_uploaded_is_what_the_steps_need_and_nothing_private(tmp_path: Path) -> None:
    settings = {"CLOUDSDK_CONFIG": str(tmp_path)}
    files = set(_gcloud(["meta", "list-files-for-upload", "."], settings).splitlines())
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    lists = "requirements.txt requirements-build.txt"
    for source in " ".join(copied).replace("${REQUIREMENTS}", lists).split():
        assert any(one == source or one.startswith(f"{source}/") for one in files), source
    assert {"requirements-dev.txt", "pyproject.toml", "deploy.toml", "Dockerfile"} <= files
    assert "tests/cloudbuild/test_submit.py" in files
    parts = {part for one in files for part in one.split("/")}
    assert not parts & {"node_modules", "__pycache__", ".venv", ".git", "quarantine.jsonl"}
    assert not [one for one in files if one.endswith((".pyc", ".key.json")) or one == ".env"]
