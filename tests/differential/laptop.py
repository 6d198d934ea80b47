"""Pub/Sub of the laptop cloud, put together in this process: REST and pushes on a free port."""

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from flask import Flask

from worker.local.clock import Clock
from worker.local.pubsub.push.deliveries import Deliveries
from worker.local.pubsub.push.faults import Faults
from worker.local.pubsub.push.pusher import Pusher
from worker.local.pubsub.push.tokens import Tokens
from worker.local.pubsub.rest import blueprint
from worker.local.pubsub.service import PubSub
from worker.local.web import WebServer


class Laptop:
    """`folder` keeps its state: another one there goes on with it."""

    def __init__(self, folder: Path, speed: float = 1.0) -> None:
        self._open = ExitStack()
        self.pubsub = PubSub(folder, Clock(speed))
        self._open.callback(self.pubsub.close)
        self.deliveries = Deliveries(folder)
        self._open.callback(self.deliveries.close)
        self.pusher = Pusher(self.pubsub, self.deliveries, Tokens(folder), Faults(), lambda _: None)
        self.pusher.start()
        self._open.callback(self.pusher.stop)
        app = Flask("laptop")
        app.register_blueprint(blueprint(self.pubsub))
        web = WebServer(app, 0, 0)
        web.start()
        self._open.callback(web.stop)
        self.host = f"127.0.0.1:{web.port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
