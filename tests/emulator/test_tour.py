"""The pages' tours work: their commands are run here as they stand in the pages."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.tour import Terminal, steps_of, take
from tests.support.emulator import Installation
from tests.support.markdown import PAGES, name_of
from tests.support.server import ROOT

LOCAL = ROOT / "docs" / "local.md"
NEEDS_BASH = pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
WALK = ROOT / "docs" / "handlers.md"  # it writes into the checkout: tests/test_walk.py takes it
TOURS = [page for page in PAGES if steps_of(page) and page != WALK]


@pytest.mark.emulator
@pytest.mark.parametrize("page", TOURS, ids=name_of)
def test_the_commands_of_a_page_do_what_it_says(
    page: Path, installation: Installation, tmp_path: Path
) -> None:
    take(page, tmp_path)


def test_every_command_of_the_local_tour_is_run() -> None:
    blocks = re.findall(r"^```bash$", LOCAL.read_text(), re.MULTILINE)
    assert len([step for step in steps_of(LOCAL) if step.how != "shows"]) == len(blocks) > 0


@NEEDS_BASH
def test_a_tour_goes_on_where_its_terminals_are(tmp_path: Path) -> None:
    page = page_of(
        tmp_path,
        ("terminal 1, stays", "bash", "echo ready; sleep 60"),
        ("terminal 1 shows", "text", "re…y"),
        ("terminal 2", "bash", "export GREETING=hello"),
        ("terminal 2", "bash", "echo $GREETING there"),
        ("terminal 2 shows", "text", "hello…"),
        ("terminal 1", "bash", "echo interrupted"),
        ("terminal 1 shows", "text", "interrupted"),
    )
    take(page, tmp_path)


@NEEDS_BASH
@pytest.mark.parametrize(
    ("block", "reason"),
    [
        (("terminal 1", "bash", "false"), "page.md:1: exit code 1"),
        (("terminal 1", "bash", "echo $UNKNOWN"), "page.md:1: exit code 1"),
        (("terminal 1", "text", "true"), "page.md:1: want a block of bash"),
    ],
)
def test_a_tour_that_fails_says_where(
    tmp_path: Path, block: tuple[str, str, str], reason: str
) -> None:
    with pytest.raises(AssertionError, match=reason):
        take(page_of(tmp_path, block), tmp_path)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with Terminal(tmp_path, tmp_path / "state", {"PATH": os.environ["PATH"]}) as opened:
        yield opened


@NEEDS_BASH
def test_a_line_has_to_be_shown_after_the_one_before(terminal: Terminal) -> None:
    terminal.run("echo one; echo two")
    terminal.wait_for("two")
    with pytest.raises(AssertionError, match="not shown: one"):
        terminal.wait_for("one", seconds=0.1)


@NEEDS_BASH
def test_what_should_stay_and_ends_by_itself_is_a_failure(terminal: Terminal) -> None:
    terminal.start("exit 3").wait()
    with pytest.raises(AssertionError, match="ended by itself with exit code 3"):
        terminal.interrupt()


def page_of(folder: Path, *blocks: tuple[str, str, str]) -> Path:
    page = folder / "page.md"
    page.write_text(
        "\n".join(f"<!-- {mark} -->\n```{kind}\n{text}\n```\n" for mark, kind, text in blocks)
    )
    return page
