"""What the page shows and does: handed in by the cloud that it belongs to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from worker.local.clock import Clock
from worker.local.logs.run import CloudRun
from worker.local.logs.store import Logs
from worker.local.pubsub.push.deliveries import Deliveries
from worker.local.pubsub.push.faults import Faults
from worker.message import PubsubMessage


@dataclass(frozen=True, slots=True)
class Site:
    """Everything a page may look at or do.

    `topic` and `subscription` are full names (projects/P/...); `environment` is that of the worker,
    for the commands which the page runs as processes of their own: they load the handlers as they
    are now. `worker_url` answers "" while no worker serves; `publish` and `redeliver` raise
    ApiError.
    """

    project: str
    topic: str
    subscription: str
    dead_letters: str  # the subscription that holds them
    folder: Path  # of the state
    clock: Clock
    logs: Logs
    run: CloudRun
    deliveries: Deliveries
    faults: Faults
    publish: Callable[[str, PubsubMessage], str]  # topic, message -> message id
    redeliver: Callable[[int], None]  # a Delivery's id
    backlog: Callable[[], Mapping[str, int]]
    worker_url: Callable[[], str]
    environment: Mapping[str, str]
    emulated: bool = False  # Google's emulator delivers: there are no attempts to show
