"""One container, run as Cloud Run runs it: a read-only root, nobody's user, 1 CPU, 512 MiB."""

import json
import time
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from tests.faults.waiting import wait_until
from tests.image.podman import Podman
from tests.support.rawhttp import RawAnswer, post, request, send
from worker.pipeline import CANONICAL_EVENT

EXIT_SECONDS = 10  # Cloud Run: SIGTERM, then 10 s, then SIGKILL
_RFC3339 = '"2006-01-02T15:04:05.000000Z07:00"'  # as Go spells it
# podman asks for more than one container may have in another.
NEEDED_HERE = ("--ulimit=nofile=20000:20000", "--ulimit=nproc=4096:4096", "--log-driver=k8s-file")
_LIMITS = (
    "--read-only", "--tmpfs=/tmp", "--cap-drop=all", "--security-opt=no-new-privileges",
    "--memory=512m", "--cpus=1", *NEEDED_HERE,
)  # fmt: skip
CLOUD_RUN = {
    "PORT": "8080",
    "K_SERVICE": "feature-worker",
    "K_REVISION": "feature-worker-00001-abc",
    "K_CONFIGURATION": "feature-worker",
    "PUSH_AUTH": "cloud-run-iam",
    "GOOGLE_CLOUD_PROJECT": "demo-project",
    "QUARANTINE": "folder:/tmp/quarantine",  # the one folder that it can write to
}


def run_once(podman: Podman, image: str, *command: str) -> str:
    """What a command in a container writes, without a network. Raises PodmanFailed."""
    done = podman.output("run", "--rm", "--network=none", *_LIMITS, image, *command)
    return done.stdout + done.stderr


def ask_from(podman: Podman, image: str, environment: Mapping[str, str], *command: str) -> str:
    """What a command prints that calls servers on this machine. Raises PodmanFailed."""
    settings = [f"--env={name}={value}" for name, value in environment.items()]
    return podman.run("run", "--rm", "--network=host", *settings, *_LIMITS, image, *command)


class Container:
    """Made but not started; `with` starts it and removes it."""

    def __init__(
        self,
        podman: Podman,
        image: str,
        environment: Mapping[str, str] = CLOUD_RUN,
        mounts: Sequence[tuple[Path, str]] = (),
    ) -> None:
        self._podman = podman
        self.name = f"worker-{uuid.uuid4().hex[:12]}"
        podman.run(
            "create", f"--name={self.name}", "--publish=127.0.0.1::8080", *_LIMITS,
            *(f"--env={name}={value}" for name, value in environment.items()),
            *(f"--volume={here}:{there}" for here, there in mounts),
            image,
        )  # fmt: skip
        self.port = 0

    def __enter__(self) -> Self:
        """Its port is known now, but nobody may listen there yet."""
        try:
            self._podman.run("start", self.name)
            self.port = self._podman.port_of(self.name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_error: object) -> None:
        self._podman.run("rm", "--force", "--time=0", self.name)

    def wait_until_ready(self) -> None:
        """Wait until it takes pushes."""
        wait_until(lambda: is_ready(self.port), f"{self.name} is ready")

    def push(self, body: Any) -> RawAnswer:
        """POST a push's body, as JSON."""
        return push(self.port, body)

    def lines(self) -> list[str]:
        """What it has written to stdout so far."""
        return self._podman.run("logs", self.name).splitlines()

    def complaints(self) -> str:
        """What it has written to stderr so far."""
        return self._podman.output("logs", self.name).stderr

    def entries(self) -> list[dict[str, Any]]:
        """Its log entries so far; every line has to be one."""
        return [json.loads(line) for line in self.lines()]

    def canonical(self) -> list[dict[str, Any]]:
        """The canonical entries so far."""
        return [entry for entry in self.entries() if entry["event"] == CANONICAL_EVENT]

    def processes(self) -> list[list[str]]:
        """Of each process in it: pid there, user's number, its words."""
        listed = self._podman.run("top", self.name, "pid", "user", "args").splitlines()[1:]
        return [line.split(maxsplit=2) for line in listed]

    def changed(self) -> list[str]:
        """What is not as in the image."""
        return self._podman.run("diff", self.name).splitlines()

    def execute(self, *command: str) -> str:
        """What one more process in it prints. Raises PodmanFailed."""
        return self._podman.run("exec", self.name, *command)

    def stop(self) -> float:
        """SIGTERM, and SIGKILL 10 s later, as Cloud Run. Returns the seconds to its end."""
        began = time.monotonic()
        self._podman.run("stop", f"--time={EXIT_SECONDS}", self.name)
        return time.monotonic() - began

    def exit_code(self) -> int:
        """137 is that of a process that had to be killed."""
        return int(self._podman.inspect(self.name, "{{.State.ExitCode}}"))

    def process_id(self) -> int:
        """The number that its first process has on this machine."""
        return int(self._podman.inspect(self.name, "{{.State.Pid}}"))

    def started_at(self) -> float:
        """When its process began, in seconds of the machine's clock."""
        text = self._podman.inspect(
            self.name, '{{.State.StartedAt.Format "2006-01-02T15:04:05.000000Z07:00"}}'
        )
        return datetime.fromisoformat(text).timestamp()


def is_ready(port: int) -> bool:
    """Whether the worker behind that port takes pushes."""
    with suppress(OSError, EOFError):
        return send(port, request("GET", "/health/ready")).status == 200
    return False


def push(port: int, body: Any) -> RawAnswer:
    """POST a push's body, as JSON."""
    return post(port, json.dumps(body).encode(), [("Content-Type", "application/json")])
