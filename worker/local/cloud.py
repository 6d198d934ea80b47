"""The laptop cloud, put together: Google's APIs and the page behind one port, gRPC beside it."""

import traceback
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from flask import Flask
from werkzeug.exceptions import HTTPException

from worker.local.address import Address, announce, withdraw
from worker.local.broker import Broker, Names
from worker.local.clock import Clock
from worker.local.errors import ApiError, Code, PortUnusable
from worker.local.frontend import FrontEnd
from worker.local.guard import guard
from worker.local.logs.rest import blueprint as logging_routes
from worker.local.logs.rpc import config_handler, rpc_handler
from worker.local.logs.run import CloudRun
from worker.local.logs.store import Logs
from worker.local.monitoring.rest import blueprint as monitoring_routes
from worker.local.monitoring.series import PushMetrics
from worker.local.page import create_blueprint
from worker.local.page.site import Site
from worker.local.pubsub.push.deliveries import Deliveries
from worker.local.pubsub.push.faults import Faults
from worker.local.pubsub.push.pusher import Pusher
from worker.local.pubsub.push.routes import blueprint as push_routes
from worker.local.pubsub.push.tokens import Tokens
from worker.local.pubsub.rest import blueprint as pubsub_routes
from worker.local.pubsub.rpc import rpc_handlers
from worker.local.pubsub.service import PubSub
from worker.local.rpc import RpcServer
from worker.local.run.revisions import Revisions
from worker.local.web import WebServer


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start. Port 0 takes a free one, and so does `port_or_free` where `port` is taken.

    `emulator` is the HOST:PORT of Google's, if used.

    `environment` is the worker's: the page runs commands with it, and it learns our addresses.
    """

    folder: Path
    port: int = 0
    port_or_free: bool = False
    rpc_port: int = 0
    names: Names = field(default_factory=Names)
    speed: float = 1.0
    emulator: str = ""
    environment: dict[str, str] = field(default_factory=dict)


class Cloud:
    """Everything runs from `start` to `close`. Raises PortUnusable and StateUnusable."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names = plan.names
        self.worker_url = ""  # of the worker that is ready
        self.clock = Clock(plan.speed)
        with ExitStack() as opened:
            self.logs = Logs(plan.folder, plan.names.project)
            opened.callback(self.logs.close)
            self.run = CloudRun(self.logs, project=plan.names.project)
            self._front = FrontEnd(plan.folder, self.run, lambda: self.worker_url)
            opened.callback(self._front.close)
            self.deliveries = Deliveries(plan.folder)
            opened.callback(self.deliveries.close)
            self.pubsub = PubSub(plan.folder, self.clock)
            opened.callback(self.pubsub.close)
            self.faults = Faults()
            self.tokens = Tokens(plan.folder)
            self._pusher = Pusher(
                self.pubsub, self.deliveries, self.tokens, self.faults, self._front.saw
            )
            self._rpc = RpcServer(self._rpc_handlers(), plan.rpc_port)
            opened.callback(self._rpc.stop)
            app = Flask("laptop-cloud", static_folder=None)
            self._web = self._web_server(app)
            opened.callback(self._web.stop)
            opened.callback(self.pubsub.let_go)  # first: who waits for messages would keep both
            host = f"127.0.0.1:{self._web.port}"
            self.address = Address(plan.names.project, host, plan.emulator or host)
            self.rpc_host = f"127.0.0.1:{self._rpc.port}"
            self.broker = Broker(self.address.pubsub, plan.names)
            plan.environment.update(self.address.variables())
            self._route(app)
            self._opened = opened.pop_all()

    @property
    def url(self) -> str:
        """The page's address."""
        return f"http://{self.address.host}/"

    @property
    def revisions(self) -> Revisions:
        """The workers, as Cloud Run's API shows them."""
        return self._front.revisions

    def start(self) -> None:
        """Serve, set up what is not there yet, and push from now on."""
        self._rpc.start()
        self._web.start()
        self.broker.provision()
        self.broker.pause()  # until there is a worker: an outage would use up attempts
        if not self.plan.emulator:
            self._pusher.guard(self._front.gate.refuses)
            self._pusher.start()
            self._opened.callback(self._pusher.stop)
        announce(self.plan.folder, self.address)
        self._opened.callback(withdraw, self.plan.folder)

    def push_to(self, url: str, concurrency: int) -> None:
        """A worker is ready there; it gets at most so many requests at once."""
        self.worker_url = url
        self.revisions.ready(url, concurrency)
        self._pusher.limit(url, concurrency)
        self.broker.point(url)

    def close(self) -> None:
        """Stop, and lose nothing: what was published or logged is there at the next start."""
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _web_server(self, app: Flask) -> WebServer:
        try:
            return WebServer(app, self.plan.port, self._rpc.port)
        except PortUnusable:
            if not self.plan.port_or_free:
                raise
            return WebServer(app, 0, self._rpc.port)

    def _rpc_handlers(self) -> list[Any]:
        return [rpc_handler(self.logs), config_handler(self.logs), *rpc_handlers(self.pubsub)]

    def _route(self, app: Flask) -> None:
        guard(app)
        if not self.plan.emulator:
            app.register_blueprint(pubsub_routes(self.pubsub))
            app.register_blueprint(push_routes(self.tokens, self.faults, self.clock))
        app.register_blueprint(logging_routes(self.logs))
        metrics = PushMetrics(self.names.project, self.pubsub, self.deliveries)
        known = None if self.plan.emulator else metrics
        app.register_blueprint(monitoring_routes(known, self.names.project, self.clock))
        app.register_blueprint(self._front.routes())
        app.register_error_handler(Exception, self._failed)
        app.register_blueprint(create_blueprint(self._site()))

    def _failed(self, error: Exception) -> Any:
        """What no route foresaw: one line for the caller, the rest in a file."""
        if isinstance(error, HTTPException):
            return error
        log = self.plan.folder / "errors.log"
        with log.open("a") as file:
            traceback.print_exception(error, file=file)
        failed = ApiError(Code.INTERNAL, f"the laptop cloud failed: see {log}")
        return failed.body(), failed.code.status

    def _site(self) -> Site:
        return Site(
            project=self.names.project,
            topic=self.names.topic,
            subscription=self.names.subscription,
            dead_letters=self.names.dead_letters,
            folder=self.plan.folder,
            clock=self.clock,
            logs=self.logs,
            run=self.run,
            deliveries=self.deliveries,
            faults=self.faults,
            publish=self.broker.publish,
            redeliver=self._pusher.redeliver,
            backlog=self.pubsub.backlog,
            worker_url=lambda: self.worker_url,
            environment=self.plan.environment,
            emulated=bool(self.plan.emulator),
        )
