"""`--help` of every command, and what all commands have in common."""

import sys

import click
import pytest

from tests.support.cli import error_of, run
from worker.cli import main

COMMANDS = main.list_commands(click.Context(main))


def test_the_help_lists_every_command() -> None:
    listed = run("--help").stdout.partition("Commands:")[2].splitlines()
    assert [line.split()[0] for line in listed if line.strip()] == COMMANDS
    assert set(COMMANDS) == {
        "serve", "dev", "faults", "features", "new", "push", "publish", "quarantine",
        "provision", "smoke", "doctor",
    }  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_a_command_says_what_it_does_and_shows_an_example(name: str) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert "Example: " in result.stdout
    assert f"python -m worker {name}" in result.stdout
    assert result.stdout == run(name, "-h").stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_help_fits_a_terminal(name: str) -> None:
    assert max(map(len, run(name, "--help").stdout.splitlines())) <= 88


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_explained(name: str) -> None:
    command = main.get_command(click.Context(main, **main.context_settings), name)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []


def test_without_a_command_it_shows_the_help() -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == run("--help").stdout


def test_an_unknown_command_is_one_line() -> None:
    assert "serv" in error_of(run("serv"))


@pytest.mark.parametrize("name", COMMANDS)
def test_an_unknown_option_is_one_line(name: str) -> None:
    assert "--nonsense" in error_of(run(name, "--nonsense"))


def test_the_help_does_not_load_the_console_nor_the_cloud_clients() -> None:
    import subprocess

    program = (
        "import sys, worker.cli.push, worker.cli.publish, worker.cli.features, worker.cli.dev\n"
        "from worker.cli.quarantine import list, show, check, replay, drop\n"
    )
    program += (
        "print([m for m in ('rich', 'watchfiles', 'google.auth', 'grpc') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout == b"[]\n"
