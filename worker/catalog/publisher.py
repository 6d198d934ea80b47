"""The typed publisher as a package of its own, for services that do not have this repository.

It is made of the features' JSON Schemas and of those modules here that publishing needs.
"""

import ast
import re
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from worker.builder.order import BuildFailed
from worker.builder.sandbox import Sandbox, sandbox
from worker.catalog.described import Described
from worker.catalog.publisher_classes import classes_of, with_texts

PACKAGE = "feature_publisher"
_SECONDS = 60.0  # for everything that is run
_OURS = re.compile(r"^(\s*from )worker\b", re.MULTILINE)
_CODEGEN = (
    "--input-file-type=jsonschema", "--output-model-type=pydantic_v2.BaseModel",
    "--target-python-version=3.11", "--formatters=builtin", "--disable-timestamp",
    "--disable-future-imports", "--use-union-operator", "--use-standard-collections",
    "--use-double-quotes", "--enum-field-as-literal=all", "--collapse-root-models",
    "--strict-nullable", "--skip-root-model", "--output-datetime-class=datetime",
    "--allow-population-by-field-name",
)  # fmt: skip
_HEADER = '''"""The requirements of each feature: generated from their JSON Schemas."""

# Names, texts and defaults are those of the features; not every set of features needs every one:
# ruff: noqa: D101, D205, D301, D403, E501, FBT003, N801, N815, RUF001, RUF002, RUF100, S105
'''
_PROJECT = f"""\
[project]
name = "feature-publisher"
version = "0.1.0"
description = "Publishes features to their Pub/Sub topic, with typed requirements"
requires-python = ">=3.11"
dependencies = ["google-auth>=2", "pydantic>=2.11", "requests>=2"]

[build-system]
requires = ["setuptools>=64"]
build-backend = "setuptools.build_meta"

[tool.setuptools]
packages = ["{PACKAGE}", "{PACKAGE}.publisher"]
package-data = {{ {PACKAGE} = ["py.typed"] }}
"""


def files(described: Sequence[Described]) -> Mapping[str, str]:
    """The files by their paths, the same for the same features. Raises BuildFailed."""
    made = {
        "pyproject.toml": _PROJECT,
        f"{PACKAGE}/py.typed": "",
        **{name.replace("worker/", f"{PACKAGE}/", 1): text for name, text in _copies().items()},
    }
    with sandbox(made, "generating", _SECONDS, with_worker=False) as box:
        models, names = _models(box, described)
        box.write({f"{PACKAGE}/models.py": models, f"{PACKAGE}/__init__.py": _init(names)})
        _run(box, "ruff", "check", "--quiet", "--select=I,UP,F401", "--fix", PACKAGE)
        _run(box, "ruff", "format", "--quiet", "--line-length=100", PACKAGE)
        every = sorted({*made, f"{PACKAGE}/models.py", f"{PACKAGE}/__init__.py"})
        return box.read(iter(every))


def _models(box: Sandbox, described: Sequence[Described]) -> tuple[str, list[str]]:
    """The source of the models, and the names of those that are requirements."""
    classes = classes_of(described)
    if not classes.features:
        return _HEADER, []
    box.write({"schema.json": classes.schema})
    words = ("-W", "ignore", "-m", "datamodel_code_generator", *_CODEGEN)
    ran = box.run(*words, "--input=schema.json", "--output=generated.py")
    if ran.code != 0:
        raise _failed("datamodel_code_generator", ran.output)
    source = box.read(iter(["generated.py"]))["generated.py"]
    return _HEADER + with_texts(source, classes), sorted(classes.features)


def _run(box: Sandbox, tool: str, *words: str) -> None:
    ran = box.run("-m", tool, *words)
    if ran.code != 0:
        raise _failed(tool, ran.output)


def _failed(tool: str, output: str) -> BuildFailed:
    if find_spec(tool) is None:
        why = f"{tool} is not installed (pip install -r requirements-build.txt)"
        return BuildFailed("generating", why)
    last = (output.strip().splitlines() or ["it says nothing"])[-1]
    return BuildFailed("generating", f"{tool}: {last}")


def _init(names: Sequence[str]) -> str:
    """What a service imports. A class of the same name as one of these is in `models` only."""
    own = ["Options", "PublishFailed", "Publisher", "message_of", "publish"]
    classes = [name for name in names if name not in own]
    imports = f"from {PACKAGE}.models import {', '.join(classes)}\n" if classes else ""
    return (
        '"""Publish features: typed requirements in, message id out."""\n\n'
        f"{imports}from {PACKAGE}.publisher import {', '.join(own)}\n\n"
        f"__all__ = {sorted([*own, *classes])!r}\n"
    )


def _copies() -> dict[str, str]:
    """worker.publisher and all that it imports of this program, by path, under the new name."""
    found: dict[str, str] = {}
    wanted = ["worker/publisher/__init__.py"]
    root = Path(__file__).parents[2]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        source = (root / name).read_text(encoding="utf-8")
        found[name] = _OURS.sub(rf"\1{PACKAGE}", source)
        wanted += _imported(root, source)
    return found


def _imported(root: Path, source: str) -> list[str]:
    modules = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "worker":
            modules.append(str(node.module))
            modules += [f"{node.module}.{one.name}" for one in node.names]
    paths = [module.replace(".", "/") for module in modules if module != "worker"]
    tried = [f"{path}{end}" for path in paths for end in (".py", "/__init__.py")]
    return [path for path in tried if (root / path).is_file()]
