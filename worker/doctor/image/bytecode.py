"""Which modules have no .pyc: each cold start compiles them again."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity

MISSING = Check(
    "image-bytecode-missing",
    Severity.WARNING,
    "the image has a .pyc beside each module",
    "The worker's user cannot write them: every cold start compiles the modules again, "
    "which doubles it.",
    "run `python3 -m compileall -q --invalidation-mode unchecked-hash` over the folder "
    "in the Dockerfile",
)
# Not imported when serving; some of the test files cannot compile.
_LEFT_OUT = re.compile(
    r"/(tests?|idlelib|tkinter|turtledemo|ensurepip|lib2to3|pip|config-3[^/]*|__pycache__)/"
)
PACKAGE = "gunicorn/__init__.py"  # is among the worker's packages
_STDLIB = re.compile(r"usr/(?:local/)?lib/python3\.\d+/")
_PACKAGES = re.compile(r".*?/(?:site|dist)-packages/")
_ENOUGH = 0.05  # of the modules may lack theirs: files that cannot compile are shipped by some


@dataclass(frozen=True, slots=True)
class Area:
    """A folder whose modules belong together; `folder` ends with a slash."""

    name: str
    folder: str


def areas_of(files: Collection[str], program: str) -> list[Area]:
    """The standard library, the packages and the program, as far as they are there.

    A base image may have packages of its own elsewhere, which the worker never imports.
    """
    modules = [path for path in files if path.endswith(".py")]
    packages = {path.removesuffix(PACKAGE) for path in modules if path.endswith(f"/{PACKAGE}")}
    stdlib = {match[0] for path in modules if (match := _STDLIB.match(path))}
    found_areas = [Area("the standard library", folder) for folder in sorted(stdlib)]
    found_areas += [Area("the packages", folder) for folder in sorted(packages)]
    folder = program.strip("/") + "/"
    if folder != "/" and any(path.startswith(folder) for path in modules):
        found_areas.append(Area("the program", folder))
    return found_areas


def examine(files: Collection[str], areas: Collection[Area], where: str) -> Iterator[Finding]:
    """One finding for each area in which modules have no bytecode."""
    compiled = {_module_of(path) for path in files if path.endswith(".pyc")}
    for area in areas:
        modules = [path for path in files if path.endswith(".py") and _belongs(path, area)]
        missing = sum(path not in compiled for path in modules)
        if modules and missing / len(modules) > _ENOUGH:
            what = f"{missing} of {len(modules)} modules of {area.name} have no .pyc"
            yield found(MISSING, f"{where}:/{area.folder.strip('/')}", what)


def _belongs(path: str, area: Area) -> bool:
    inside = path.removeprefix(area.folder)
    if inside == path or _LEFT_OUT.search(f"/{inside}"):
        return False
    return area.name == "the packages" or not _PACKAGES.match(f"/{inside}")


def _module_of(path: str) -> str:
    """`a/__pycache__/b.cpython-313.pyc` -> `a/b.py`; `a/b.pyc` -> `a/b.py`."""
    folder, _, name = path.rpartition("/")
    base, _, inner = folder.rpartition("/")
    if inner == "__pycache__":
        return f"{base}/{name.partition('.')[0]}.py".lstrip("/")
    return path.removesuffix("c")
