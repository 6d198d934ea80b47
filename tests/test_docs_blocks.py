"""Every fenced block in the documentation is run or checked; one of an unknown kind fails."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import click
import pytest

from tests.conftest import Serve
from tests.support.markdown import Block, Command, blocks, shell_commands
from tests.support.server import ROOT
from tests.support.tools import tool
from worker.cli import main

LANGUAGES = {"bash", "json", "lql", "mermaid", "python", "text"}  # the last is for reading only
FILE = re.compile(r"(handlers|tests)/\w+\.py")


def test_every_block_is_in_a_known_language() -> None:
    assert [block.place for block in blocks() if block.language not in LANGUAGES] == []


@pytest.mark.parametrize("block", blocks("json"), ids=lambda block: block.place)
def test_json_is_json(block: Block) -> None:
    json.loads(block.text)


def check_make(words: tuple[str, ...]) -> None:
    targets = re.findall(r"^([a-z0-9.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    unknown = {word for word in words if "=" not in word} - set(targets)
    assert not unknown, f"no target {unknown}"


def check_python(words: tuple[str, ...]) -> None:
    """click reads the words of a command, and runs nothing."""
    if words[:2] == ("-m", "pytest"):
        return  # tests/test_walk.py runs it
    assert words[:2] == ("-m", "worker"), "only `python -m worker` can be checked"
    with click.Context(main, **main.context_settings) as context:
        command: click.Command | None = main
        name, rest = "", list(words[2:])
        while isinstance(command, click.Group):
            name, command, rest = command.resolve_command(context, rest)  # type: ignore[assignment]
        assert command is not None
        command.make_context(name, rest, parent=context)


def no_check(words: tuple[str, ...]) -> None:
    """Checked by a test of its own, or too plain to be wrong."""


CHECKS: dict[str, Callable[[tuple[str, ...]], None]] = {
    "cat": no_check,
    "cd": no_check,
    "curl": no_check,
    "docker": no_check,
    "echo": no_check,
    "gcloud": no_check,
    "git": no_check,
    "make": check_make,
    "python": check_python,
    ".venv/bin/python": check_python,
}


@pytest.mark.parametrize("command", shell_commands(), ids=lambda command: command.place)
def test_every_command_exists(command: Command) -> None:
    program, *words = command.words
    assert program in CHECKS, f"nobody checks {program}"
    CHECKS[program](tuple(words))


@pytest.mark.server
def test_curl_gets_the_answers_that_are_shown(serve: Serve) -> None:
    """The JSON block behind a curl block is its answer."""
    server, curl = serve(), tool("curl")
    shown = {a.place: json.loads(b.text) for a, b in pairwise(blocks()) if b.language == "json"}
    for command in shell_commands():
        program, *words = command.words
        if program == "curl" and any(word.startswith("http://localhost:8080") for word in words):
            there = [word.replace("http://localhost:8080", server.url) for word in words]
            answer = subprocess.run([curl, *there], capture_output=True, check=True).stdout
            assert json.loads(answer) == shown[command.place], command.place


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout whose handlers and tests are the Python blocks; the first line names the file."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in (
        "handlers/__init__.py",
        "handlers/smoke_test.py",
        "tests/__init__.py",
        "tests/support",
        "worker",
        "pyproject.toml",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    for block in blocks("python"):
        name, _, text = block.text.removeprefix("# ").partition("\n")
        assert FILE.fullmatch(name), f"{block.place}: the first line does not name a file"
        assert not (folder / name).exists(), f"{block.place}: {name} is there already"
        (folder / name).write_text(text)
    return folder


@pytest.mark.tools
@pytest.mark.parametrize(
    "command",
    [
        "worker features",
        "ruff check *.py",
        "ruff format --check *.py",
        "mypy --follow-imports=silent *.py",
        "pytest -q *.py",
    ],
)
def test_python_files_are_as_good_as_the_projects_own(checkout: Path, command: str) -> None:
    words = command.split()
    if words[-1] == "*.py":
        files = [*checkout.glob("handlers/*.py"), *checkout.glob("tests/test_*.py")]
        words[-1:] = [str(file.relative_to(checkout)) for file in files]
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=checkout, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
