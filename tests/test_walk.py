"""The walk of docs/handlers.md works: a newcomer's own feature, tested, in the laptop cloud."""

import shutil
import sys
from pathlib import Path

import pytest

from tests.emulator.tour import steps_of, take
from tests.support.server import ROOT
from tests.support.tools import tool

PAGE = ROOT / "docs" / "handlers.md"
LEFT_OUT = (".*", "__pycache__", "node_modules", "mutants")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of this checkout as it is after `make setup`: what is written stays in the copy."""
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
    (copy / ".venv").symlink_to(sys.prefix)
    return copy


@pytest.mark.server
@pytest.mark.timeout(400)  # seconds: it builds a feature, on a machine that is busy
def test_a_newcomers_feature_is_tested_and_runs(checkout: Path, tmp_path: Path) -> None:
    tool("bash")
    take(PAGE, tmp_path, checkout)
    written = [
        "handlers/vet_visit.py", "tests/handlers/test_vet_visit.py", "docs/features/vet_visit.md",
    ]  # fmt: skip
    assert all((checkout / path).is_file() for path in written)
    assert not any((ROOT / path).exists() for path in written)


def test_the_walk_runs_every_command_of_its_section() -> None:
    """All but the first block: `make setup` takes a minute and the network."""
    section = PAGE.read_text().partition("\n## Your own feature")[2].partition("\n## ")[0]
    commands = [one for one in steps_of(PAGE) if one.how != "shows"]
    assert section.count("```bash") == len(commands) + 1 > 1
