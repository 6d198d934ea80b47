"""The features as they are on the disk now, asked for in a process of its own."""

from pathlib import Path

import pytest

from tests.browser.shopping import environment
from worker.local.page.catalog import Catalog
from worker.local.page.processes import CommandFailed, Commands

HANDLER = '''"""{name}: a handler."""

from worker import Context, feature


@feature("{name}")
def handler(context: Context) -> None:
    """{summary}"""
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of handlers in the current folder."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "changing"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "one.py").write_text(HANDLER.format(name="one", summary="The first."))
    return folder


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def catalog_of(tmp_path: Path, clock: Clock | None = None) -> Catalog:
    root = Path(__file__).parents[2]
    ours = environment(tmp_path, HANDLERS="changing", PYTHONPATH=f"{root}:{tmp_path}")
    return Catalog(ours, monotonic=clock or Clock())


def test_the_features_are_those_of_the_package(package: Path, tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path)
    (one,) = catalog.all()
    assert (one.name, one.summary, one.schema) == ("one", "The first.", None)
    assert (one.form, one.examples) == (None, [])
    assert catalog.find("two") is None
    assert catalog.package == "changing"
    assert catalog.file_of(one.handler) == "changing/one.py"
    assert catalog.file_of("json.decoder.JSONDecoder") == ""


def test_a_change_of_the_package_is_seen_at_once(package: Path, tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path)
    assert len(catalog.all()) == 1
    (package / "two.py").write_text(HANDLER.format(name="two", summary="The second."))
    assert [one.name for one in catalog.all()] == ["one", "two"]
    (package / "one.py").unlink()
    assert [one.name for one in catalog.all()] == ["two"]


def test_what_did_not_change_is_not_asked_again_for_some_seconds(
    package: Path, tmp_path: Path
) -> None:
    (package / "one.py").write_text("from beside import handler\n")
    beside = tmp_path / "beside.py"
    beside.write_text(HANDLER.format(name="one", summary="Before."))
    clock = Clock()
    catalog = catalog_of(tmp_path, clock)
    assert catalog.all()[0].summary == "Before."
    beside.write_text(HANDLER.format(name="one", summary="After that."))
    assert catalog.all()[0].summary == "Before."
    clock.now = 11.0
    assert catalog.all()[0].summary == "After that."


def test_a_broken_handler_is_one_line_until_it_is_mended(package: Path, tmp_path: Path) -> None:
    catalog = catalog_of(tmp_path)
    catalog.all()
    text = (package / "one.py").read_text()
    (package / "one.py").write_text("def broken(:\n")
    for _ in range(2):
        with pytest.raises(CommandFailed, match=r"^cannot import changing\.one: SyntaxError"):
            catalog.all()
    (package / "one.py").write_text(text)
    assert len(catalog.all()) == 1


def test_a_handler_file_that_ends_the_process_does_not_end_ours(
    package: Path, tmp_path: Path
) -> None:
    (package / "one.py").write_text("import os\n\nprint('so long')\nos._exit(3)\n")
    with pytest.raises(CommandFailed, match=r"^so long \(exit code 3\)$"):
        catalog_of(tmp_path).all()


def test_a_package_that_is_a_single_file_is_watched_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "changing.py").write_text(HANDLER.format(name="one", summary="Alone."))
    catalog = catalog_of(tmp_path)
    assert catalog.all()[0].summary == "Alone."
    (tmp_path / "changing.py").write_text(HANDLER.format(name="one", summary="Changed."))
    assert catalog.all()[0].summary == "Changed."


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path, package: Path) -> None:
    (tmp_path / "slow.py").write_text("import time\n\ntime.sleep(60)\n")
    commands = Commands(environment(tmp_path))
    with pytest.raises(CommandFailed, match=r"more than 0 s"):
        commands.run(["slow"], seconds=0.2)


def test_an_answer_that_is_no_json_is_an_error(tmp_path: Path, package: Path) -> None:
    (tmp_path / "odd.py").write_text("print('hello')\n")
    with pytest.raises(CommandFailed, match="cannot be read"):
        Commands(environment(tmp_path)).json(["odd"])


def test_a_word_that_no_process_can_be_given_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be started"):
        Commands(environment(tmp_path)).run(["worker", "a\0b"])


def test_the_last_line_of_what_went_wrong_is_what_is_said(tmp_path: Path, package: Path) -> None:
    (tmp_path / "bad.py").write_text("raise ValueError('\\x1b[2J' + 'x' * 9000)\n")
    with pytest.raises(CommandFailed) as caught:
        Commands(environment(tmp_path)).run(["bad"])
    said = str(caught.value)
    assert said.startswith("ValueError: \\x1b[2Jxxx")
    assert said.endswith("xxx (exit code 1)")
    assert len(said) < 600
