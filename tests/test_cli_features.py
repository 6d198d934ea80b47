import json
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from tests.support.cli import error_of, run
from tests.support.server import ROOT, handlers_folder
from worker.builder.order import BuildFailed
from worker.catalog import publisher

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

QUIET = HANDLERS.replace('print("loaded")\n', "")


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


def test_json_belongs_to_the_list(tmp_path: Path) -> None:
    with handlers_folder(tmp_path, some=QUIET):
        done = features(tmp_path, "--json", "docs")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: --json is for the list")
    assert done.stderr.count("\n") == 1


def test_docs_makes_the_pages_that_are_missing_and_renews_the_others(tmp_path: Path) -> None:
    pages = tmp_path / "docs" / "features"
    pages.mkdir(parents=True)
    (pages / "say.md").write_text("# say\n\nMine.\n")
    with handlers_folder(tmp_path, some=QUIET):
        made, again = features(tmp_path, "docs"), features(tmp_path, "docs")
    assert made.stdout.splitlines() == [
        "wrote docs/features/beat.md",
        "wrote docs/features/resize_image.md",
        "wrote docs/features/say.md",
        "0 were up to date, 3 written",
    ]
    assert again.stdout == "3 were up to date, 0 written\n"
    resize = (pages / "resize_image.md").read_text()
    assert resize.startswith("# resize_image\n\nMake an image smaller.\n\nMore about it.\n")
    assert "[`handlers/some.py`](../../handlers/some.py)" in resize
    assert "| `width` | integer | yes | above 0 | pixels |" in resize
    assert (pages / "say.md").read_text().startswith("# say\n\nMine.\n\n<!-- generated")


def test_docs_check_names_the_pages_that_are_out_of_date_and_writes_nothing(tmp_path: Path) -> None:
    with handlers_folder(tmp_path, some=QUIET):
        features(tmp_path, "docs", "--dir", "pages")
        assert features(tmp_path, "docs", "--dir", "pages", "--check").returncode == 0
        page = tmp_path / "pages" / "say.md"
        page.write_text(page.read_text().replace("| no |", "| yes |"))
        page.rename(tmp_path / "pages" / "gone.md")
        before = {path: path.read_text() for path in (tmp_path / "pages").iterdir()}
        done = features(tmp_path, "docs", "--dir", "pages", "--check")
        assert before == {path: path.read_text() for path in (tmp_path / "pages").iterdir()}
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "pages/say.md is out of date: run python -m worker features docs",
        "pages/gone.md: no handler has this feature: remove the page",
    ]


def test_docs_are_the_same_whatever_is_deployed(tmp_path: Path) -> None:
    (tmp_path / "deploy.toml").write_text('project = "my-project"\ntopic = "pets"\n')
    with handlers_folder(tmp_path, some=QUIET):
        features(tmp_path, "docs", "--dir", "pages")
    page = (tmp_path / "pages" / "say.md").read_text()
    assert "gcloud pubsub topics publish features --message=" in page
    assert "my-project" not in page


@pytest.mark.parametrize(
    ("page", "why"),
    [
        (
            "<!-- generated: python -m worker features docs -->\n",
            "error: docs/features/say.md: the line <!-- generated",
        ),
        (None, "error: docs/features/say.md: Is a directory"),
    ],
)
def test_a_page_that_cannot_be_renewed_is_one_line(
    tmp_path: Path, page: str | None, why: str
) -> None:
    there = tmp_path / "docs" / "features" / "say.md"
    there.parent.mkdir(parents=True)
    if page is None:
        there.mkdir()
    else:
        there.write_text(page)
    with handlers_folder(tmp_path, some=QUIET):
        done = features(tmp_path, "docs")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(why)
    assert done.stderr.count("\n") == 1
    assert not (there.parent / "beat.md").exists()


def test_export_writes_everything_and_says_what(tmp_path: Path) -> None:
    with handlers_folder(tmp_path, some=QUIET):
        done = features(tmp_path, "export", "out", "--project", "my-project")
        (tmp_path / "handlers" / "some.py").write_text(QUIET.partition('@feature("say")')[0])
        without = features(tmp_path, "export", "out")
    assert done.stdout.splitlines()[:8] == [
        "out/catalog.html", "out/asyncapi.json", "out/openapi.json", "out/schemas: 3 files",
        "out/examples: 3 files", "out/commands: 3 files", "out/queries: 6 files",
        "out/docs: 3 files",
    ]  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert without.stdout.splitlines()[-1] == "removed 12 files of features that are gone"
    assert sorted(path.name for path in (tmp_path / "out" / "schemas").iterdir()) == [
        "resize_image.json"
    ]


@pytest.mark.parametrize("command", ["docs", "export"])
def test_a_feature_without_an_example_is_one_line(tmp_path: Path, command: str) -> None:
    source = """
from pydantic import field_validator
from worker import Context, Requirements, feature

class Odd(Requirements):
    word: str

    @field_validator("word")
    @classmethod
    def right(cls, value: str) -> str:
        if value != "open sesame":
            raise ValueError("wrong word")
        return value

@feature("odd")
def odd(want: Odd, context: Context) -> None: ...
"""
    with handlers_folder(tmp_path, some=source):
        done = features(tmp_path, command, *(["out"] if command == "export" else []))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: handlers.some.odd: no example of Odd is at hand")
    assert "examples=[...]" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_deploy_toml_that_is_wrong_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "deploy.toml").write_text('topic = "!"')
    with handlers_folder(tmp_path, some=QUIET):
        done = features(tmp_path, "export", "out")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("error: deploy.toml: topic does not fit")
    assert done.stderr.count("\n") == 1


def test_without_the_tools_of_the_publisher_export_is_one_line_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(_described: object) -> NoReturn:
        raise BuildFailed("generating", "ruff is not installed")

    monkeypatch.setattr(publisher, "files", missing)
    done = run("features", "export", str(tmp_path / "out"), HANDLERS="handlers.smoke_test")
    said = "the models of the publisher cannot be made: generating: ruff is not installed"
    assert error_of(done) == said
    assert not (tmp_path / "out").exists()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("features", "export", str(tmp_path / "file" / "out"), HANDLERS="handlers.smoke_test")
    assert error_of(done).endswith("catalog.html: Not a directory")
