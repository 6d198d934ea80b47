"""Where a run was made: the machine, without its name or paths, the commit and the versions."""

import platform
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.contestants import CONTESTANTS, Contestant
from tests.benchmarks.cores import Cores
from tests.benchmarks.results import Setting
from tests.support.server import ROOT

_MEASURED = ("worker", "requirements.txt", "tests/benchmarks")  # what a commit has to hold
_PIN = re.compile(r"^([a-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)


def setting(cores: Cores) -> Setting:
    """This machine, now."""
    return Setting(
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        commit=commit(),
        machine=machine(),
        python=platform.python_version(),
        pinned=cores.server != cores.client,
        versions={one.name: versions(one) for one in CONTESTANTS},
    )


def machine() -> str:
    """CPU model, cores and kernel."""
    text = Path("/proc/cpuinfo").read_text()
    names = re.findall(r"^model name\s*: (.+)$", text, re.MULTILINE)
    cores = len(re.findall(r"^processor\s*:", text, re.MULTILINE)) or 1
    kernel = platform.release().partition("-")[0]
    name = names[0] if names else platform.machine()
    return f"{name}, {cores} cores, Linux {kernel}"


def commit() -> str:
    """The short id of the commit, and whether what was measured differs from it."""
    found = _git("rev-parse", "--short=10", "HEAD")
    changed = _git("status", "--porcelain", "--", *_MEASURED)
    return f"{found}, with changes" if found and changed else found or "unknown"


def _git(*words: str) -> str:
    git = shutil.which("git")
    if git is None:
        return ""
    done = subprocess.run(
        [git, *words], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, check=False,
    )  # fmt: skip
    return done.stdout.strip()


def versions(contestant: Contestant) -> str:
    """Its libraries as its lock pins them; one that is not in it is left out."""
    lock = contestant.lock or ROOT / "requirements.txt"
    pinned = dict(_PIN.findall(lock.read_text()))
    return ", ".join(f"{name} {pinned[name]}" for name in contestant.libraries if name in pinned)


def is_linux() -> bool:
    """Whether there is a /proc to read, and cores to choose."""
    return sys.platform == "linux"
