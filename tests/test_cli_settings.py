"""--settings and --project, which provision, smoke and doctor have in common."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from worker.cli.settings import deployment_options
from worker.deployment import Deployment


@click.command()
@deployment_options
@click.option("--other", default="")
def command(*, deployment: Deployment, other: str) -> None:
    """Say what it got."""
    click.echo(f"{deployment.project} {deployment.region} {other}")


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)


def run(*words: str) -> Result:
    return CliRunner().invoke(command, words)


def test_the_file_may_be_missing() -> None:
    assert run("--project", "demo", "--other", "x").stdout == "demo europe-west1 x\n"


def test_the_file_of_the_folder_is_read() -> None:
    Path("deploy.toml").write_text('project = "ours"\nregion = "us-central1"')
    assert run().stdout == "ours us-central1 \n"
    assert run("--project", "other").stdout == "other us-central1 \n"


def test_another_file_can_be_named() -> None:
    Path("other.toml").write_text('project = "theirs"')
    assert run("--settings", "other.toml").stdout == "theirs europe-west1 \n"


@pytest.mark.parametrize("words", [(), ("--settings", "no.toml"), ("--project", "A B")])
def test_what_makes_no_deployment_is_one_line_and_exit_code_2(words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1


def test_a_file_name_cannot_break_the_line() -> None:
    result = run("--settings", "a\nb.toml")
    assert result.stderr == "error: a\\nb.toml is not there\n"
