"""The commands, the query and the link of a feature: what is copied does what it says."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.catalog.zoo import ZOO, hostile, pet
from tests.support.tools import tool
from worker.catalog.commands import Where, link, publish_command, query, read_command, where_of
from worker.catalog.described import describe
from worker.deployment import DeploymentInvalid
from worker.feature import Feature

HERE = Where("features", "feature-worker")
THERE = Where("pets", "vet", "my-project")


@pytest.mark.parametrize("one", ZOO, ids=lambda one: one.name)
def test_the_command_publishes_the_first_example(one: Feature[Any]) -> None:
    described = describe(one)
    words = shlex.split(publish_command(described, HERE))
    assert words[:5] == ["gcloud", "pubsub", "topics", "publish", "features"]
    (message,) = [word.removeprefix("--message=") for word in words[5:]]
    assert json.loads(message) == described.examples[0]


def test_a_shell_hands_over_the_hostile_example_whole(tmp_path: Path) -> None:
    program = tmp_path / "gcloud"
    program.write_text('#!/bin/sh\nprintf "%s" "$5"\n')
    program.chmod(0o755)
    done = subprocess.run(
        [tool("bash"), "-c", publish_command(describe(hostile), HERE)],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, cwd=tmp_path, capture_output=True, check=True,
    )  # fmt: skip
    message = done.stdout.decode().removeprefix("--message=")
    assert json.loads(message) == describe(hostile).examples[0]
    assert list(tmp_path.iterdir()) == [program]


def test_a_project_that_is_known_is_named() -> None:
    described = describe(pet)
    assert "topics publish pets --project=my-project --message=" in publish_command(
        described, THERE
    )
    assert shlex.split(read_command(described, THERE))[-2:] == [
        "--project=my-project",
        "--format=json",
    ]
    assert link(described, THERE).endswith("?project=my-project")


def test_without_a_project_the_commands_leave_it_out() -> None:
    described = describe(pet)
    everything = publish_command(described, HERE) + read_command(described, HERE)
    assert "project" not in everything + link(described, HERE)


def test_an_emulator_of_whoever_exports_is_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", "127.0.0.1:8085")
    assert publish_command(describe(pet), HERE).startswith("gcloud ")


def test_query_link_and_command_ask_the_same() -> None:
    described = describe(pet)
    asked = query(described, THERE)
    assert asked.splitlines() == [
        'resource.type="cloud_run_revision"',
        'resource.labels.service_name="vet"',
        'jsonPayload.event="message.processed"',
        'jsonPayload.feature="pet"',
    ]
    found = link(described, THERE).partition(";query=")[2].partition("?")[0]
    assert unquote(found) == asked
    assert shlex.split(read_command(described, THERE))[3] == asked.replace("\n", " AND ")


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    return tmp_path


def test_without_deploy_toml_and_project_the_defaults_hold(empty: Path) -> None:
    assert where_of() == Where() == HERE


def test_deploy_toml_says_where_even_without_a_project(empty: Path) -> None:
    (empty / "deploy.toml").write_text('topic = "pets"\nservice = "vet"\n')
    assert where_of() == Where("pets", "vet")
    assert where_of(project="my-project") == THERE
    (empty / "other.toml").write_text('topic = "other"\nproject = "my-project"\n')
    assert where_of(Path("other.toml")) == Where("other", "feature-worker", "my-project")


def test_the_project_of_the_environment_is_taken(
    empty: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "my-project")
    assert where_of().project == "my-project"


@pytest.mark.parametrize("text", ['topic = "!"', "nonsense = 1", "topic"])
def test_a_deploy_toml_that_is_wrong_is_told(empty: Path, text: str) -> None:
    (empty / "deploy.toml").write_text(text)
    with pytest.raises(DeploymentInvalid) as caught:
        where_of()
    assert "project is not known" not in str(caught.value)
