"""A plan: every resource looked at, then those that differ put right, one after the other."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus

from worker.provision.cloud import Cloud
from worker.provision.step import DOES, Resource, State, Step
from worker.rest import CallFailed

_LOOKS_AT_ONCE = 8
_PAUSE_SECONDS = 5.0
# Of one run: what was just made or enabled is not known everywhere at once.
_PATIENCE_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Task:
    """A resource, and which way. `unseen` is its state where its APIs are off: nothing is there."""

    title: str
    about: str
    apis: tuple[str, ...]
    look: Callable[[Cloud], Step]
    unseen: State


def making(resources: Sequence[Resource]) -> list[Task]:
    """To make what is missing and change what differs."""
    return [Task(one.title, one.about, one.apis, one.look, State.MAKE) for one in resources]


def removing(resources: Sequence[Resource]) -> list[Task]:
    """To remove what was made, what was made last first."""
    return [
        Task(one.title, one.about, one.apis, one.undo, State.GONE) for one in reversed(resources)
    ]


@dataclass(slots=True)
class Patience:
    """How long a run goes on waiting for what was just made; `sleep` takes seconds."""

    sleep: Callable[[float], None] = time.sleep
    left_seconds: float = _PATIENCE_SECONDS

    def wait(self) -> bool:
        """Wait a little; False where all patience is used up."""
        if self.left_seconds <= 0:
            return False
        self.left_seconds -= _PAUSE_SECONDS
        self.sleep(_PAUSE_SECONDS)
        return True


def plan(tasks: Sequence[Task], cloud: Cloud) -> list[Step]:
    """What would be done, in this order. Raises CallFailed where the project is not to be seen."""
    cloud.enabled()
    with ThreadPoolExecutor(_LOOKS_AT_ONCE) as pool:
        return list(pool.map(lambda task: _look(task, cloud), tasks))


def _look(task: Task, cloud: Cloud) -> Step:
    if not cloud.enabled().issuperset(task.apis):
        return Step(task.title, task.unseen, task.about)
    try:
        return task.look(cloud)
    except CallFailed as failed:
        return Step(task.title, State.CANNOT, str(failed))


def apply(
    tasks: Sequence[Task], steps: Sequence[Step], cloud: Cloud, patience: Patience
) -> Iterator[Step]:
    """Do the steps; each comes back as it went, CANNOT where it was refused.

    What there is to do is looked at again first: what was planned may have been overtaken, and
    what it needs may be there only now.
    """
    for task, step in zip(tasks, steps, strict=True):
        yield _do(task, cloud, patience) if step.state in DOES else step


def _do(task: Task, cloud: Cloud, patience: Patience) -> Step:
    while True:
        try:
            step = task.look(cloud.later())
            step.act()
        except CallFailed as failed:
            if _passes(failed) and patience.wait():
                continue
            return Step(task.title, State.CANNOT, str(failed))
        return step


# What was just made is not known everywhere at once.
_SOON: dict[int, str] = {
    HTTPStatus.BAD_REQUEST: "does not exist",  # an account, in a policy
    HTTPStatus.FORBIDDEN: "it is disabled",  # an API
    HTTPStatus.NOT_FOUND: "Cannot find metric",  # a log-based metric
    HTTPStatus.CONFLICT: "",  # somebody else was quicker: look again
}


def _passes(failed: CallFailed) -> bool:
    """Whether it is a matter of seconds."""
    return failed.status in _SOON and _SOON[failed.status] in str(failed)
