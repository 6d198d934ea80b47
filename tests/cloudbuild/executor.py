"""Runs the steps of a build on this machine as Cloud Build does, each with what its image has."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.cloudbuild.config import Build, Step

_STEP_SECONDS = 60.0
_WORKSPACE = "/workspace"


@dataclass(frozen=True, slots=True)
class Image:
    """What stands in for a container image on this machine."""

    path: tuple[Path, ...]  # of its programs, before the system's
    program: str = ""  # its entrypoint
    folders: Mapping[str, Path] = field(default_factory=dict)  # its own, by their names inside


@dataclass(frozen=True, slots=True)
class Ended:
    """A step that ran: its exit code, and what it wrote."""

    code: int
    output: str


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a build. Steps that never started are not in `steps`."""

    succeeded: bool
    steps: Mapping[str, Ended]
    pushed: tuple[str, ...] = ()  # `images:`, which Cloud Build pushes after the last step

    @property
    def output(self) -> str:
        """The build's log."""
        return "".join(f"--- {name}\n{ended.output}" for name, ended in self.steps.items())


@dataclass(frozen=True, slots=True)
class Executor:
    """`image_of` finds an image by its name; None is one that cannot be pulled."""

    workspace: Path
    environment: Mapping[str, str]
    image_of: Callable[[str], Image | None]

    def run(self, build: Build) -> Result:
        """The steps in their order, which is one that their waitFor allow.

        The first that fails and may not ends the build.
        """
        done: dict[str, Ended] = {}
        for step in build.steps:
            done[step.id] = self._step(step)
            if done[step.id].code and not step.may_fail:
                return Result(succeeded=False, steps=done)
        return Result(succeeded=True, steps=done, pushed=build.images)

    def _step(self, step: Step) -> Ended:
        image = self.image_of(step.image)
        if image is None:
            return Ended(1, f"pull access denied for {step.image}\n")
        program = [step.program or image.program] if step.program or image.program else []
        done = subprocess.run(
            [*program, *(word.replace(_WORKSPACE, str(self.workspace)) for word in step.args)],
            cwd=image.folders.get(step.folder, self.workspace / step.folder),
            env={**self.environment, "PATH": _path(image)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=_STEP_SECONDS, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout)


def _path(image: Image) -> str:
    return os.pathsep.join([*map(str, image.path), "/usr/bin", "/bin"])
