"""Is the program whole: handlers that load, packages that are locked, a Python that fits?"""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import worker
from worker.doctor.catalogue import Check, found
from worker.doctor.dockerfile.reading import Dockerfile
from worker.doctor.finding import Finding, Severity
from worker.doctor.folder import Folder, place

HANDLERS_BROKEN = Check(
    "handlers-broken",
    Severity.ERROR,
    "every handler can be loaded",
    "The worker does not start: the new revision never becomes ready.",
    "correct the handler; `python -m worker features` shows whether it loads",
)
HANDLERS_NONE = Check(
    "handlers-none",
    Severity.WARNING,
    "there is a handler",
    "Every message is rejected: no feature is known.",
    "write one as docs/handlers.md shows",
)
NOT_LOCKED = Check(
    "requirements-not-locked",
    Severity.ERROR,
    "each package is pinned, with its hashes",
    "The next build installs what the index has then; with --require-hashes it fails.",
    "run `make lock`",
)
PYTHON = Check(
    "python-not-supported",
    Severity.ERROR,
    "the image's Python is one that the program is tested on",
    "The worker may not start, or behave in another way than in its tests.",
    "change PYTHON_IMAGE in the Dockerfile, or requires-python in pyproject.toml",
)
BACKGROUND = Check(
    "background-work-throttled",
    Severity.WARNING,
    "no handler leaves work behind when its push is answered",
    "Between two pushes Cloud Run takes the CPU away: work that goes on after the answer stops, "
    "and ends with the instance. Pub/Sub was told that it is done.",
    "wait for it before the handler returns, or deploy with --no-cpu-throttling",
)
LOADING = (HANDLERS_BROKEN, HANDLERS_NONE)

_LOAD_SECONDS = 60.0
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[^\]]*\])?\s*(.*)")
_TAG = re.compile(r"python:(\d+)\.(\d+)")
_BOUND = re.compile(r"(>=|<=|<|>|==|~=)\s*(\d+)\.(\d+)")
_LEAVES = frozenset({"Thread", "Timer", "Process", "Popen", "create_task", "ensure_future"})
_WAITS = frozenset({"join", "wait", "communicate"})


def examine_handlers(folder: Folder, package: str) -> Iterator[Finding]:
    """Load the handlers in a process of their own: they may do anything."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "worker", "features", "--json"],
            cwd=folder.path, env=_environment(folder, package),
            capture_output=True, text=True, timeout=_LOAD_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        yield found(HANDLERS_BROKEN, package, f"loading took more than {_LOAD_SECONDS:.0f} s")
        return
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["error: the process ended without a word"]
        yield found(HANDLERS_BROKEN, package, lines[-1].removeprefix("error: "))
    elif not json.loads(done.stdout):
        yield found(HANDLERS_NONE, package, f"{package} has no feature")


def _environment(folder: Folder, package: str) -> dict[str, str]:
    path = [str(folder.path), str(Path(worker.__file__).parent.parent)]
    return {
        **folder.environment,
        "HANDLERS": package,
        "PYTHONPATH": ":".join(path),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def examine_requirements(text: str, name: str) -> Iterator[Finding]:
    """The first package of a lock that is not pinned or has no hash."""
    for number, line in _joined(text):
        match = _REQUIREMENT.match(line)
        if not match or line.startswith("-"):
            continue
        if not match[2].startswith("=="):
            what = f"{line[:60].split()[0]} is not pinned with =="
        elif "--hash=sha256:" not in line:
            what = f"{line[:60].split()[0]} has no hash"
        else:
            continue
        yield found(NOT_LOCKED, place(name, number), what)
        return


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Logical lines without comments, with the number of their first line."""
    joined, first = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        first = first if joined else number
        joined += re.sub(r"(^|\s)#.*", "", line)
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        yield first, joined.strip()
        joined = ""
    if joined:
        yield first, joined.strip()


def examine_python(dockerfile: Dockerfile, requires: str) -> Iterator[Finding]:
    """Whether each base image's Python is within `requires`, as in ">=3.11,<3.14"."""
    for one, image in dockerfile.bases():
        match = _TAG.search(image)
        if match and not _fits((int(match[1]), int(match[2])), requires):
            what = f"the image has Python {match[1]}.{match[2]}, pyproject.toml wants {requires}"
            yield found(PYTHON, place("Dockerfile", one.line), what)


def _fits(version: tuple[int, int], requires: str) -> bool:
    for sign, major, minor in _BOUND.findall(requires):
        bound = (int(major), int(minor))
        holds = {
            ">=": version >= bound, "<=": version <= bound, "<": version < bound,
            ">": version > bound, "==": version == bound,
            "~=": version >= bound and version[0] == bound[0],
        }  # fmt: skip
        if not holds[sign]:
            return False
    return True


def examine_background(folder: Folder, package: str) -> Iterator[Finding]:
    """Handlers that start a thread, a process or a task, in modules that never wait for one."""
    root = folder.path / package.replace(".", "/")
    for path in sorted([*root.rglob("*.py"), *([root.with_suffix(".py")])]):
        name = str(path.relative_to(folder.path))
        try:
            tree = ast.parse(path.read_bytes())
        except (OSError, SyntaxError, ValueError):
            continue  # not there, or `handlers-broken` says it
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        if any(_called(call) in _WAITS for call in calls):
            continue
        for call in calls:
            if _called(call) in _LEAVES:
                what = f"{_called(call)} starts work that may go on after the answer"
                yield found(BACKGROUND, place(name, call.lineno), what)


def _called(call: ast.Call) -> str:
    function = call.func
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""
