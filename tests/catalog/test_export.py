"""The folder of the catalogue: complete, the same each time, and nothing else is touched."""

import ast
import json
import os
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator

from tests.catalog.zoo import ZOO, pair, pet
from worker.catalog import export
from worker.catalog.commands import Where, publish_command
from worker.catalog.described import describe
from worker.catalog.export import files_of, write_all
from worker.catalog.files import write_whole

HERE = Where("features", "feature-worker")


@pytest.fixture
def no_publisher(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is made by worker.catalog.publisher has its own tests, and takes seconds."""
    fake = SimpleNamespace(files=lambda described: {"feature_publisher/__init__.py": "A = 1\n"})
    monkeypatch.setattr(export, "publisher", fake)


@pytest.fixture
def files(no_publisher: None) -> dict[str, str]:
    return files_of([describe(one) for one in ZOO], HERE)


def test_every_artefact_of_every_feature_is_there(files: dict[str, str]) -> None:
    kinds = (
        "schemas/{}.json", "examples/{}.json", "commands/{}.sh", "queries/{}.lql",
        "queries/{}.url", "docs/{}.md",
    )  # fmt: skip
    wanted = {kind.format(one.name) for kind in kinds for one in ZOO}
    wanted |= {"catalog.html", "asyncapi.json", "openapi.json"}
    assert set(files) == wanted | {"python/feature_publisher/__init__.py"}
    assert all(text.endswith("\n") for text in files.values())


def test_examples_are_valid_by_the_schema_beside_them(files: dict[str, str]) -> None:
    for one in ZOO:
        schema = json.loads(files[f"schemas/{one.name}.json"])
        examples = json.loads(files[f"examples/{one.name}.json"])
        assert schema == describe(one).payload
        assert examples == list(describe(one).examples)
        assert all(Draft202012Validator(schema).is_valid(example) for example in examples)


def test_a_command_is_a_script_of_that_command(files: dict[str, str]) -> None:
    first, command = files["commands/pet.sh"].splitlines()
    assert first == "#!/usr/bin/env bash"
    assert shlex.split(command) == shlex.split(publish_command(describe(pet), HERE))


def test_the_documents_are_of_all_features(files: dict[str, str]) -> None:
    assert json.loads(files["asyncapi.json"])["asyncapi"].startswith("3.")
    assert json.loads(files["openapi.json"])["openapi"].startswith("3.1")
    for one in ZOO:
        assert one.name in files["asyncapi.json"]
        assert one.name in files["openapi.json"]
        assert f'id="{one.name}"' in files["catalog.html"]


def test_the_same_features_give_the_same_text(files: dict[str, str]) -> None:
    assert files_of([describe(one) for one in ZOO], HERE) == files


def test_the_publisher_is_python(tmp_path: Path) -> None:
    """Made for real, once: it compiles, and has the class of the requirements."""
    found = files_of([describe(pair)], HERE)
    modules = {name: text for name, text in found.items() if name.endswith(".py")}
    assert "python/feature_publisher/__init__.py" in modules
    assert any("class Pair(" in text for text in modules.values())
    for name, text in modules.items():
        ast.parse(text, name)


def all_in(folder: Path) -> dict[str, str]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_what_is_written_is_what_was_made(tmp_path: Path, files: dict[str, str]) -> None:
    assert write_all(tmp_path / "a" / "b", files) == []
    assert all_in(tmp_path / "a" / "b") == files


def test_writing_again_touches_nothing(tmp_path: Path, files: dict[str, str]) -> None:
    write_all(tmp_path, files)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for path in before:
        os.utime(path, ns=(1, 1))
    assert write_all(tmp_path, files) == []
    assert {path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == {1}


def test_a_file_that_was_changed_is_as_it_should_be_again(
    tmp_path: Path, files: dict[str, str]
) -> None:
    write_all(tmp_path, files)
    (tmp_path / "schemas" / "pet.json").write_bytes(b"\xff{}")
    write_all(tmp_path, files)
    assert all_in(tmp_path) == files


def test_files_of_a_feature_that_is_gone_are_removed_and_those_of_others_stay(
    tmp_path: Path, no_publisher: None
) -> None:
    write_all(tmp_path, files_of([describe(pet), describe(pair)], HERE))
    kept = ("notes.md", "schemas/readme.txt", "other/pet.json", "python/mine.py")
    for name in kept:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine\n")
    gone = write_all(tmp_path, files_of([describe(pair)], HERE))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in gone) == [
        "commands/pet.sh", "docs/pet.md", "examples/pet.json", "queries/pet.lql",
        "queries/pet.url", "schemas/pet.json",
    ]  # fmt: skip
    there = all_in(tmp_path)
    assert all(there[name] == "mine\n" for name in kept)
    assert not any("pet" in name for name in there if name not in kept)


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "one.json"
    write_whole(path, "old")

    def full(*_: object) -> None:
        raise OSError(28, "no space left", str(path))

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="no space left"):
        write_whole(path, "new")
    monkeypatch.undo()
    assert all_in(tmp_path) == {"one.json": "old"}
