"""The image that this process runs in: the same questions, asked of the file system."""

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from worker.doctor.dockerfile.process import examine_user
from worker.doctor.finding import Finding
from worker.doctor.folder import Folder
from worker.doctor.image import bytecode, checks

WHERE = "this image"
_SOURCE = ("Dockerfile", "cloudbuild.yaml", "pyproject.toml")


def is_image(folder: Folder) -> bool:
    """Whether the folder is the program's in an image: the program alone, nothing to build it."""
    source = any((folder.path / name).exists() for name in _SOURCE)
    return (folder.path / "worker").is_dir() and not source


def examine(program: Path) -> Iterator[Finding]:
    """What is wrong with the Python that runs this, its packages, and the program's folder."""
    stdlib, packages = (Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib"))
    areas = [
        bytecode.Area("the standard library", _relative(stdlib)),
        bytecode.Area("the packages", _relative(packages)),
        bytecode.Area("the program", _relative(program.resolve())),
    ]
    files = frozenset(path for area in areas for path in _files(area.folder))
    yield from examine_user(str(os.geteuid()), WHERE)
    yield from bytecode.examine(files, areas, WHERE)
    yield from checks.examine_pip(files, WHERE)


def _relative(folder: Path) -> str:
    return f"{folder}/".lstrip("/")


def _files(folder: str) -> Iterator[str]:
    for root, _, names in os.walk(f"/{folder}"):
        yield from (f"{root}/{name}".replace("//", "/").lstrip("/") for name in names)
