"""A folder of its own in which a bundle is tried, by child processes that have until a deadline.

A child gets no variable of this process (so no credentials), keeps its files in that folder, and
is killed with all that it started when its time is up or this process is interrupted.
"""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import worker
from worker.builder.order import BuildFailed

_SETTINGS = Path(__file__).with_name("sandbox.toml")
_OUTPUT = 64 * 1024  # bytes of what a tool prints that are read
_FILE_BYTES = 64 * 1024 * 1024  # the most that a child may write into one file


@dataclass(frozen=True, slots=True)
class Ran:
    """How a tool ended, and the beginning of what it printed."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Runs tools in `folder`, all of them together until `deadline` (of `clock`, in seconds)."""

    folder: Path
    stage: str
    deadline: float
    clock: Callable[[], float] = time.monotonic

    def write(self, files: Mapping[str, str]) -> None:
        """Put files into it, replacing those that are there."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())

    def read(self, names: Iterable[str]) -> dict[str, str]:
        """The files of these names as they are now."""
        return {name: (self.folder / name).read_bytes().decode() for name in names}

    def run(self, *words: str) -> Ran:
        """Run Python with these words. Raises BuildFailed when the time is up."""
        left = self.deadline - self.clock()
        with tempfile.TemporaryFile(dir=self.folder) as output:
            process = subprocess.Popen(  # noqa: S603 - our interpreter, and words of our own
                [sys.executable, *words],
                cwd=self.folder, env=_environment(self.folder), start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            try:
                _limit(process.pid, left)
                code = process.wait(max(left, 0.0))
            except subprocess.TimeoutExpired:
                raise BuildFailed(self.stage, "the time limit was reached", again=True) from None
            finally:
                _kill(process)
            output.seek(0)
            return Ran(code, output.read(_OUTPUT).decode(errors="replace"))


@contextmanager
def sandbox(
    files: Mapping[str, str], stage: str, seconds: float, *, with_worker: bool
) -> Iterator[Sandbox]:
    """Make one with these files and our settings of the tools; it is gone at the end.

    `with_worker`: the package `worker` can be imported in it. Raises BuildFailed when there is no
    place for temporary files.
    """
    try:
        folder = tempfile.TemporaryDirectory(prefix="feature-", ignore_cleanup_errors=True)
    except OSError as error:
        raise BuildFailed(stage, f"no temporary folder: {error.strerror}", again=True) from None
    with folder as name:
        made = Sandbox(Path(name), stage, time.monotonic() + seconds)
        (made.folder / "home").mkdir()
        made.write({"pyproject.toml": _SETTINGS.read_text(), **files})
        if with_worker:
            (made.folder / "worker").symlink_to(Path(worker.__file__).parent)
        yield made


def _environment(folder: Path) -> dict[str, str]:
    """All that a child gets: nothing of ours but where programs are."""
    home = str(folder / "home")
    return {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "HOME": home,
        "TMPDIR": home,
        "XDG_CACHE_HOME": home,
        "LANG": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # what else is installed here does not matter
        "NO_COLOR": "1",
    }


def _limit(pid: int, seconds: float) -> None:
    """Bound what the child may use, where the system can do that from outside."""
    if sys.platform != "linux":
        return
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: int(max(seconds, 0)) * 4 + 4,  # tools may have several threads
        resource.RLIMIT_FSIZE: _FILE_BYTES,
    }
    with contextlib.suppress(ProcessLookupError, PermissionError):  # it has ended already
        for kind, most in limits.items():
            resource.prlimit(pid, kind, (most, most))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill all that is left of its group, which has its number as long as it is not reaped."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
