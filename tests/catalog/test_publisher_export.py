"""The typed publisher as a package: it works without this repository, and is as good as it."""

import ast
import base64
import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
from packaging.requirements import Requirement
from pydantic import BaseModel, Field

from tests.catalog.zoo import ZOO, hostile
from tests.support.server import ROOT
from tests.support.standin import Reply, StandIn
from worker import Context, Requirements, feature
from worker.builder.order import BuildFailed
from worker.builder.sandbox import Ran, Sandbox
from worker.catalog import publisher
from worker.catalog.described import describe
from worker.catalog.publisher import files
from worker.feature import Feature
from worker.testing import deliver

pytestmark = pytest.mark.tools


class Address(BaseModel):
    street: str = "C1"  # what the generator is given for a name


class Move(Requirements):
    """Where to."""

    to: Address
    by: str = Field("C0", pattern="^C[0-9]$")
    size: Literal["C0", "C2"] = "C0"
    about: dict[str, Any] = Field({}, description='"""\\')


class Other(Requirements):
    """Another class of a name that is taken."""

    to: int


Other.__name__ = Other.__qualname__ = "Move"


class Twice(Requirements):
    size: int = 1


@feature("move")
def move(want: Move, context: Context) -> None: ...


@feature("shift")
def shift(want: Other, context: Context) -> None: ...


@feature("one")
def one(want: Twice, context: Context) -> None: ...


@feature("two")
def two(want: Twice, context: Context) -> None: ...


ALL: tuple[Feature[Any], ...] = (*ZOO, move, shift, one, two)
DESCRIBED = [describe(feature) for feature in ALL]


@pytest.fixture(scope="module")
def made() -> Mapping[str, str]:
    return files(DESCRIBED)


@pytest.fixture(scope="module")
def folder(made: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A place away from the repository that the package was copied to."""
    place = tmp_path_factory.mktemp("elsewhere")
    for name, text in made.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(text.encode())
    return place


def classes(made: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The features of each generated class."""
    found = {}
    for node in ast.parse(made["feature_publisher/models.py"]).body:
        if isinstance(node, ast.ClassDef):
            names = [
                ast.literal_eval(line.value)
                for line in node.body
                if isinstance(line, ast.AnnAssign)
                and isinstance(line.target, ast.Name)
                and line.target.id == "feature_names"
                and line.value
            ]
            found[node.name] = names[0] if names else ()
    return found


def test_each_feature_has_the_class_of_its_handler(made: Mapping[str, str]) -> None:
    found = {name: features for name, features in classes(made).items() if features}
    assert found == {
        "Hostile": ("hostile",),
        "Maybe": ("maybe",),
        "Pair": ("pair",),
        "Pet": ("pet",),
        "Node": ("tree",),
        "Move": ("move",),
        "Move2": ("shift",),
        "Twice": ("one", "two"),
    }


def test_what_is_published_without_the_repository_is_handled(
    folder: Path, made: Mapping[str, str]
) -> None:
    by_feature = {
        names[0]: each for each, names in classes(made).items() if len(names) == 1
    }  # those of two features are published as plain JSON, with the feature's name
    orders = [
        [each.name, by_feature.get(each.name), payload["requirements"]]
        for each in DESCRIBED
        for payload in each.examples
        if payload["requirements"] != "none"
    ]
    with StandIn(lambda _call: Reply.json({"messageIds": ["4711"]})) as service:
        done = subprocess.run(
            [sys.executable, "-I", ROOT / "tests/catalog/publishing.py", folder],
            env={"PUBSUB_EMULATOR_HOST": service.address}, cwd=folder,
            input="\n".join(map(json.dumps, orders)), capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stdout.split()) == (0, ["4711"] * len(orders)), done.stderr
    for call, order in zip(service.calls, orders, strict=True):
        payload = json.loads(base64.b64decode(call.json()["messages"][0]["data"]))
        assert payload["feature"] == order[0]
        (handler,) = (each for each in ALL if each.name == order[0])
        delivered = deliver(handler, payload["requirements"])
        assert delivered.outcome == "done", (delivered.reason, order)


@pytest.mark.parametrize(
    "command", ["ruff check --quiet", "ruff format --check --quiet", "mypy --no-error-summary"]
)
def test_it_passes_our_own_checks(folder: Path, command: str) -> None:
    tool, *options = command.split()
    config = "--config-file" if tool == "mypy" else "--config"
    done = subprocess.run(
        [sys.executable, "-m", tool, *options, config, ROOT / "pyproject.toml",
         "--cache-dir", folder / ".cache", "feature_publisher"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_needs_three_packages(made: Mapping[str, str]) -> None:
    imported = {
        name.partition(".")[0]
        for path, text in made.items()
        if path.endswith(".py")
        for node in ast.walk(ast.parse(text))
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    own = {"feature_publisher", "pydantic_core"}  # the latter comes with pydantic
    assert imported - sys.stdlib_module_names - own == {"google", "pydantic", "requests"}
    project = tomllib.loads(made["pyproject.toml"])["project"]
    needed = {Requirement(each).name for each in project["dependencies"]}
    assert needed == {"google-auth", "pydantic", "requests"}


def test_every_module_is_a_part_of_the_package_that_is_installed(made: Mapping[str, str]) -> None:
    tools = tomllib.loads(made["pyproject.toml"])["tool"]["setuptools"]
    folders = {str(Path(path).parent) for path in made if path.endswith(".py")}
    assert set(tools["packages"]) == {each.replace("/", ".") for each in folders}
    assert "feature_publisher/py.typed" in made


def test_the_same_features_give_the_same_bytes(made: Mapping[str, str]) -> None:
    assert files(DESCRIBED) == made


def test_hostile_texts_are_nothing_but_texts(made: Mapping[str, str]) -> None:
    tree = ast.parse(made["feature_publisher/models.py"])
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    wanted = (describe(hostile).requirements or {})["properties"]
    assert any(prop["description"] in texts for prop in wanted.values() if "description" in prop)
    called = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert called <= {"Field", "ConfigDict", "Node.model_rebuild"}


def test_features_without_classes_can_be_published_too() -> None:
    alone = files([each for each in DESCRIBED if each.name == "beat"])
    assert "class" not in alone["feature_publisher/models.py"]
    assert '"publish"' in alone["feature_publisher/__init__.py"]


def test_a_tool_that_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def failed(_box: Sandbox, *_words: str) -> Ran:
        return Ran(1, "/usr/bin/python: No module named datamodel_code_generator\n")

    monkeypatch.setattr(Sandbox, "run", failed)
    with pytest.raises(BuildFailed, match=r"^generating: datamodel_code_generator: /usr/bin"):
        files(DESCRIBED)
    monkeypatch.setattr(publisher, "find_spec", lambda _name: None)
    with pytest.raises(BuildFailed, match=r"is not installed \(pip install -r requirements-build"):
        files(DESCRIBED)
