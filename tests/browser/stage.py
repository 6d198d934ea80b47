"""The page, served for real with real stores: what its tests stand on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import flask

from tests.browser.sample import PROJECT, SUBSCRIPTION, TOPIC, Sample
from worker.local.clock import Clock
from worker.local.logs.run import CloudRun
from worker.local.logs.store import Logs
from worker.local.page import create_blueprint
from worker.local.page.site import Site
from worker.local.pubsub.push.deliveries import Deliveries
from worker.local.pubsub.push.faults import Faults
from worker.local.web import WebServer
from worker.message import PubsubMessage


@dataclass
class Stage:
    """The parts behind a page. `asked` says what it wanted to be done."""

    site: Site
    sample: Sample
    app: flask.Flask
    asked: "Asked"
    url: str = ""


@dataclass
class Asked:
    """What a page wanted to be published or delivered again: nobody does it."""

    published: list[tuple[str, PubsubMessage]] = field(default_factory=list)
    redelivered: list[int] = field(default_factory=list)

    def publish(self, topic: str, message: PubsubMessage) -> str:
        """Remember it. Returns an id."""
        self.published.append((topic, message))
        return str(7000 + len(self.published))

    def redeliver(self, delivery_id: int) -> None:
        """Remember it."""
        self.redelivered.append(delivery_id)


@contextmanager
def stage(folder: Path, **changes: Any) -> Iterator[Stage]:
    """Stores in `folder`, nothing in them yet. `changes` are fields of Site."""
    deliveries, logs = Deliveries(folder), Logs(folder, PROJECT)
    run, asked = CloudRun(logs, project=PROJECT), Asked()
    site = Site(
        project=PROJECT, topic=TOPIC, subscription=SUBSCRIPTION,
        dead_letters=f"projects/{PROJECT}/subscriptions/feature-worker-dead",
        folder=folder, clock=Clock(), logs=logs, run=run, deliveries=deliveries, faults=Faults(),
        publish=asked.publish, redeliver=asked.redeliver,
        backlog=dict, worker_url=lambda: "http://127.0.0.1:8080", environment={},
    )  # fmt: skip
    site = replace(site, **changes)
    app = flask.Flask("stage")
    app.register_blueprint(create_blueprint(site))
    made = Stage(site, Sample(deliveries, run), app, asked)
    try:
        yield made
    finally:
        deliveries.close()
        logs.close()


@contextmanager
def served(made: Stage, port: int = 0) -> Iterator[Stage]:
    """The same on a port, 0 for a free one: `url` says which."""
    server = WebServer(made.app, port, 0)
    server.start()
    made.url = f"http://127.0.0.1:{server.port}"
    try:
        yield made
    finally:
        server.stop()
