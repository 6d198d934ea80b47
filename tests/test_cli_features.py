import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import ROOT, handlers_folder

HANDLERS = '''
print("loaded")
from typing import Literal
from pydantic import Field
from worker import Context, Requirements, feature

class Resize(Requirements):
    """How."""
    width: int = Field(gt=0, description="pixels")
    fit: Literal["cover", "contain"] = "cover"

@feature("resize_image")
def resize(want: Resize, context: Context) -> None:
    """Make an image smaller.

    More about it.
    """

@feature("say")
def say(want: str, context: Context) -> None:
    """Say it."""

@feature("beat")
def beat(context: Context) -> None: ...
'''


def features(
    folder: Path, *words: str, handlers: str = "handlers"
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "worker", "features", *words],
        cwd=folder, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT), "HANDLERS": handlers},
    )  # fmt: skip


def test_lists_name_type_and_summary_of_every_feature(tmp_path: Path) -> None:
    with handlers_folder(tmp_path, some=HANDLERS):
        done = features(tmp_path)
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        "NAME          REQUIREMENTS  SUMMARY",
        "beat          none",
        "resize_image  Resize        Make an image smaller.",
        "say           str           Say it.",
    ]


def test_json_has_the_schema_of_the_requirements(tmp_path: Path) -> None:
    with handlers_folder(tmp_path, some=HANDLERS):
        done = features(tmp_path, "--json")
    beat, resize, say = json.loads(done.stdout)
    assert beat == {
        "name": "beat",
        "summary": "",
        "requirements": None,
        "schema": None,
        "handler": "handlers.some.beat",
    }
    assert (resize["name"], resize["requirements"]) == ("resize_image", "Resize")
    assert resize["schema"]["properties"]["width"]["exclusiveMinimum"] == 0
    assert resize["schema"]["required"] == ["width"]
    assert resize["schema"]["additionalProperties"] is False
    assert say["schema"] == {"type": "string"}


def test_handlers_names_another_package(tmp_path: Path) -> None:
    with handlers_folder(tmp_path, some=HANDLERS) as package:
        package.rename(tmp_path / "elsewhere")
        assert "resize_image" in features(tmp_path, handlers="elsewhere").stdout
        assert "resize_image" not in features(tmp_path).stdout


@pytest.mark.parametrize(
    ("handlers", "why"),
    [
        ("handlers", "cannot import handlers.some: NameError"),
        ("nowhere_at_all", "cannot import nowhere_at_all"),
        ("no-name", "HANDLERS is 'no-name' (want the name of a Python package)"),
    ],
)
def test_handlers_that_cannot_be_loaded_are_one_line(
    tmp_path: Path, handlers: str, why: str
) -> None:
    with handlers_folder(tmp_path, some="undefined"):
        done = features(tmp_path, handlers=handlers)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {why}")
    assert done.stderr.count("\n") == 1


def test_requirements_without_a_schema_are_one_line(tmp_path: Path) -> None:
    source = """
from typing import Callable
from worker import Context, Requirements, feature

class Odd(Requirements):
    call: Callable[[], int] = int

@feature("odd")
def odd(want: Odd, context: Context) -> None: ...
"""
    with handlers_folder(tmp_path, some=source):
        assert features(tmp_path).returncode == 0
        done = features(tmp_path, "--json")
    assert done.returncode == 2
    assert done.stderr.startswith("error: the requirements of odd have no JSON Schema")
    assert done.stderr.count("\n") == 1


def test_the_repositorys_own_handlers_are_listed() -> None:
    assert "smoke_test" in features(ROOT).stdout
