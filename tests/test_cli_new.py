"""`python -m worker new`, with an engine that builds at once: tests/test_walk.py has the real."""

from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.support.building import Engine, engine
from tests.support.cli import error_of, run
from worker.builder import BuildFailed, Order, OrderRefused, Target
from worker.cli import main
from worker.cli.newinput import read_requirements

__all__ = ["engine"]  # a fixture

PATHS = [
    "docs/features/vet_visit.md", "handlers/vet_visit.py", "tests/handlers/test_vet_visit.py",
]  # fmt: skip


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a package of handlers; the features are those of the real one."""
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers/__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HANDLERS", raising=False)
    return tmp_path


def files_in(folder: Path) -> dict[str, str]:
    """All but the package that was there."""
    found = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_text() for name, path in found.items() if "__init__" not in name}


def refusal(result: Result, code: int = 2) -> str:
    """The one line on stderr."""
    assert result.exit_code == code, result.output
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("error: ").strip()


def test_it_writes_the_feature_and_says_what_to_do_next(engine: Engine, checkout: Path) -> None:
    result = run("new", "vet_visit", "--description", "Plan it.")
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(files_in(checkout)) == PATHS
    assert files_in(checkout)["docs/features/vet_visit.md"] == "# vet_visit\n\nPlan it.\n"
    ticks, _, rest = result.stdout.partition("\n\n")
    assert ticks.splitlines() == [
        "✓ processing  vet_visit, for the target worker",
        "✓ generating  3 files",
        "✓ verifying   format, tests",
    ]
    for path in PATHS:
        assert f"--- /dev/null\n+++ b/{path}\n@@ " in rest
    assert "+Plan it." in rest
    steps = rest.partition("vet_visit is written. Next:\n")[2]
    assert "-m pytest tests/handlers/test_vet_visit.py\n" in steps
    assert '-m worker publish features \'{"feature": "vet_visit", ' in steps


def test_what_is_asked_for_comes_to_the_engine(engine: Engine) -> None:
    run("new", "vet_visit", "--requirements", '{"pet_id": "uuid"}', "--description", "Plan it.")
    run("new", "api_status", "--target", "fastapi", "--tag", "Operations")
    assert engine.orders == [
        Order("vet_visit", "Plan it.", {"pet_id": "uuid"}),
        Order("api_status", "", "none", Target.FASTAPI, "Operations"),
    ]


def test_every_target_of_the_engine_is_offered() -> None:
    command = main.get_command(click.Context(main), "new")
    assert command is not None
    (choice,) = [one.type for one in command.params if one.name == "target"]
    assert isinstance(choice, click.Choice)
    assert list(choice.choices) == list(Target)


def test_a_second_time_there_is_nothing_to_do(engine: Engine, checkout: Path) -> None:
    run("new", "vet_visit")
    before = {path: path.stat().st_mtime_ns for path in checkout.rglob("*")}
    result = run("new", "vet_visit")
    assert (result.exit_code, len(engine.verified)) == (0, 1)
    assert result.stdout.splitlines()[-1].startswith("nothing to do")
    assert {path: path.stat().st_mtime_ns for path in checkout.rglob("*")} == before


def test_a_file_that_differs_is_shown_and_not_overwritten_and_nothing_is_written(
    engine: Engine, checkout: Path
) -> None:
    (checkout / "handlers/vet_visit.py").write_text("mine\n")
    result = run("new", "vet_visit")
    said = refusal(result)
    assert said.startswith("handlers/vet_visit.py: there already")
    assert "--force" in said
    assert "--- a/handlers/vet_visit.py" in result.stdout
    assert files_in(checkout) == {"handlers/vet_visit.py": "mine\n"}
    assert engine.verified == []


def test_force_overwrites_and_shows_the_difference(engine: Engine, checkout: Path) -> None:
    (checkout / "handlers/vet_visit.py").write_text("mine\x1b[2J\n")
    result = run("new", "vet_visit", "--force")
    assert result.exit_code == 0
    shown = (
        '--- a/handlers/vet_visit.py\n+++ b/handlers/vet_visit.py\n@@ -1 +1 @@\n-mine\\x1b[2J\n+"'
    )
    assert shown in result.stdout
    assert files_in(checkout)["handlers/vet_visit.py"] == '"""vet_visit."""\n'


def test_a_dry_run_shows_everything_and_writes_nothing(engine: Engine, checkout: Path) -> None:
    result = run("new", "vet_visit", "--dry-run")
    assert result.exit_code == 0
    assert "✓ verifying" in result.stdout
    assert "+++ b/handlers/vet_visit.py" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("nothing was written")
    assert files_in(checkout) == {}


def test_the_difference_is_coloured_on_a_terminal_only(engine: Engine) -> None:
    words = ["new", "vet_visit", "--dry-run"]
    on_a_terminal = CliRunner().invoke(main, words, color=True)
    assert "\x1b[32m+# vet_visit\x1b[0m" in on_a_terminal.stdout
    assert "\x1b" not in run(*words).stdout


def test_for_fastapi_it_says_what_to_add(engine: Engine, checkout: Path) -> None:
    (checkout / "handlers/__init__.py").unlink()
    (checkout / "petsage").mkdir()
    result = run("new", "api_status", "--target", "fastapi")
    assert result.exit_code == 0
    assert "  add to petsage/main.py:\n      include api_status\n" in result.stdout
    assert "worker dev" not in result.stdout
    assert engine.taken == [frozenset()]


def test_the_names_of_the_other_features_are_taken(engine: Engine) -> None:
    run("new", "vet_visit")
    run("new", "smoke_test", "--force")
    first, second = engine.taken
    assert {"build_feature", "smoke_test"} <= first
    assert second == first - {"smoke_test"}  # its own file may be replaced


def test_the_name_of_a_package_is_taken_even_with_force(engine: Engine) -> None:
    run("new", "build_feature", "--force")
    assert "build_feature" in engine.taken[0]


def test_an_order_that_is_refused_writes_nothing(engine: Engine, checkout: Path) -> None:
    engine.refuses = OrderRefused("class is a keyword of Python")
    assert refusal(run("new", "class")) == "class is a keyword of Python"
    assert files_in(checkout) == {}


def test_what_is_not_verified_is_not_written(engine: Engine, checkout: Path) -> None:
    engine.fails = BuildFailed("verifying", "types: mypy found 2 errors")
    said = refusal(run("new", "vet_visit"), code=1)
    assert said == "verifying: types: mypy found 2 errors"
    assert files_in(checkout) == {}


def test_another_package_of_handlers_is_refused(engine: Engine) -> None:
    assert "HANDLERS" in error_of(run("new", "vet_visit", HANDLERS="my.handlers"))
    assert run("new", "vet_visit", HANDLERS="handlers").exit_code == 0


def test_a_folder_that_is_no_checkout_is_refused(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert "handlers/__init__.py" in error_of(run("new", "vet_visit"))
    assert "petsage" in error_of(run("new", "vet_visit", "--target", "fastapi"))
    assert files_in(tmp_path) == {}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "tests").touch(), f"cannot read {PATHS[2]}: Not a directory"),
        (lambda folder: (folder / PATHS[1]).mkdir(), f"cannot read {PATHS[1]}: Is a directory"),
    ],
)
def test_where_a_folder_or_a_file_is_in_the_way_none_is_written(
    engine: Engine, checkout: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(checkout)
    assert refusal(run("new", "vet_visit")).startswith(said)
    assert not set(files_in(checkout)) - {"tests"}


def test_files_get_the_usual_permissions(engine: Engine, checkout: Path) -> None:
    run("new", "vet_visit")
    usual = checkout / "usual"
    usual.touch()
    assert (checkout / PATHS[1]).stat().st_mode == usual.stat().st_mode


FIELDS = {"pet_id": "uuid"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ('{"pet_id": "uuid"}', FIELDS),
        (' {"pet_id":\n"uuid"} ', FIELDS),
        ("fields.json", FIELDS),
        ("none", "none"),
        ("note.txt", "the pet's number"),
        ("the pet's number", "the pet's number"),
        ("null", None),
        ("a" * 5000, "a" * 5000),
        ("nul\0", "nul\0"),
    ],
)
def test_requirements_are_a_file_or_json_or_a_sentence(
    checkout: Path, given: str, wanted: object
) -> None:
    (checkout / "fields.json").write_text('{"pet_id": "uuid"}\n')
    (checkout / "note.txt").write_text("the pet's number\n")
    assert read_requirements(given) == wanted


def test_requirements_may_come_from_stdin(engine: Engine) -> None:
    run("new", "vet_visit", "--requirements", "-", stdin=b'{"pet_id": "uuid"}')
    assert engine.orders[0].requirements == FIELDS


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"pet_id": "uuid"', "--requirements is no JSON: "),
        ('{"weight": NaN}', "--requirements is no JSON: "),
        ("[" * 100_000, "--requirements is no JSON: "),
        ("latin-1.json", "--requirements is not UTF-8 text"),
    ],
)
def test_requirements_that_cannot_be_read_are_one_line(
    engine: Engine, checkout: Path, given: str, said: str
) -> None:
    (checkout / "latin-1.json").write_bytes(b'{"caf\xe9": "uuid"}')
    assert error_of(run("new", "vet_visit", "--requirements", given)).startswith(said)


@given(st.text(max_size=40) | st.text('{}[]":,aNn1 \n', max_size=20))
def test_any_text_is_requirements_or_an_end_with_one_line(text: str) -> None:
    assume(text != "-")  # stdin
    is_json = text.strip().startswith(("{", "["))
    try:
        value = read_requirements(text)
    except SystemExit:
        assert is_json
    else:
        assert isinstance(value, dict | list) == is_json


def test_when_one_file_cannot_be_written_none_is(
    engine: Engine, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bytes = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if "test_" in path.name:
            raise OSError(28, "No space left on device", str(path))
        return write_bytes(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "No space left on device" in refusal(run("new", "vet_visit"))
    assert files_in(checkout) == {}
