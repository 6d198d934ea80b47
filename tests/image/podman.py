"""podman, with a store of its own: neither its images nor its containers are anybody else's."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NEEDED = ("podman", "runc", "mmdebstrap", "iptables")
_COMMAND_SECONDS = 60.0
# The whole store goes when this changes: podman does not open one that was made otherwise.
_OPTIONS = (
    "--storage-driver=overlay",
    "--runtime=runc",  # crun knows no machine with both versions of cgroups
    "--cgroup-manager=cgroupfs",
    "--events-backend=none",
)


class PodmanFailed(Exception):
    """A command of podman failed; the text is what it said."""


def lack() -> str:
    """What this machine lacks to build images and run them; "" if nothing."""
    if os.geteuid() != 0:
        return "building and running the image needs root"
    missing = [name for name in _NEEDED if shutil.which(name) is None]
    return f"not installed: {', '.join(missing)}" if missing else ""


class Podman:
    """Runs commands on the store in `folder`, which is kept: the next session builds on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @classmethod
    def usual(cls) -> "Podman":
        """The store that all sessions on this machine share."""
        return cls(Path(tempfile.gettempdir()) / "feature-worker-images")

    def run(self, *words: str, seconds: float = _COMMAND_SECONDS) -> str:
        """What the command prints to stdout. Raises PodmanFailed."""
        return self.output(*words, seconds=seconds).stdout

    def output(
        self, *words: str, seconds: float = _COMMAND_SECONDS
    ) -> subprocess.CompletedProcess[str]:
        """What the command prints. Raises PodmanFailed."""
        done = subprocess.run(
            ["podman", f"--root={self.folder}/root", f"--runroot={self.folder}/run",
             *_OPTIONS, *words],
            capture_output=True, text=True, timeout=seconds, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise PodmanFailed(f"podman {words[0]}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
        return done

    def inspect(self, name: str, form: str) -> str:
        """What a Go template makes of a container or an image."""
        return self.run("inspect", f"--format={form}", name).strip()

    def port_of(self, name: str) -> int:
        """The port on loopback that leads to the container's port 8080."""
        return int(self.run("port", name, "8080/tcp").rpartition(":")[2])

    def has(self, image: str) -> bool:
        """Whether the store has it."""
        return bool(self.run("images", "--quiet", image).strip())

    def save(self, image: str, archive: Path) -> None:
        """Write it into a tar archive."""
        self.run("save", "--quiet", f"--output={archive}", image)

    def size(self, image: str) -> int:
        """The bytes of all layers."""
        return int(self.inspect(image, "{{.Size}}"))

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One at a time: sessions beside each other do not build the same image twice."""
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
