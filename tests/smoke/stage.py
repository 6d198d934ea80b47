"""A laptop cloud with a worker whose smoke_test does as it is told, and what breaks it."""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.support.cli import run
from tests.support.server import ROOT
from worker.local.cloud import Cloud, Plan
from worker.local.lql import parse
from worker.local.pubsub.push.faults import FaultSettings
from worker.local.service import Service
from worker.message import PubsubMessage

SERVICE = "projects/demo/locations/europe-west1/services/feature-worker"
SUBSCRIPTION = "projects/demo/subscriptions/feature-worker"
DEAD = "projects/demo/subscriptions/feature-worker-dead"
TOPIC = "projects/demo/topics/features"
ACCOUNT = "feature-worker-push@demo.iam.gserviceaccount.com"
AUDIENCE = "feature-worker"
HANDLERS = "smoke_handlers"
SOURCE = '''
"""smoke_test that does what the file `mode` says."""

from pathlib import Path

from worker import Context, Requirements, Retry, feature

MODE = Path({mode!r})


class SmokeTest(Requirements):
    nonce: str


@feature("smoke_test")
def smoke_test(want: SmokeTest, context: Context) -> None:
    mode = MODE.read_text()
    if mode == "retry":
        raise Retry("the warehouse is closed")
    if mode == "crash":
        raise ZeroDivisionError
    context.log.info("smoke_test.passed", nonce=want.nonce)
'''

Json = dict[str, Any]


class Stage:
    """One cloud for many tests: each breaks something, and `mended` makes it whole again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: list[bytes] = []
        self.environment = {
            **os.environ, "PORT": "0", "HANDLERS": HANDLERS, "PUSH_AUTH": "oidc",
            "PUSH_AUDIENCE": AUDIENCE, "PUSH_SERVICE_ACCOUNT": ACCOUNT,
            "QUARANTINE": f"folder:{folder}/quarantine", "PYTHONPATH": f"{folder}:{ROOT}",
        }  # fmt: skip
        self.do("done")
        for name, source in ((HANDLERS, SOURCE), ("empty_handlers", '"""None."""\n')):
            package = folder / name
            package.mkdir()
            (package / "__init__.py").touch()
            text = source.format(mode=str(folder / "mode")) if "{mode" in source else source
            (package / "one.py").write_text(text)

    @contextmanager
    def running(self, emulator: str = "") -> Iterator["Stage"]:
        """With the laptop cloud's Pub/Sub, or Google's emulator at that address."""
        folder = self._folder / "state"
        plan = Plan(folder, speed=20.0, environment=self.environment, emulator=emulator)
        plan.folder.mkdir()
        with Cloud(plan) as self.cloud:
            self.environment["PUSH_CERTS_URL"] = f"{self.cloud.url}oauth2/v1/certs"
            self.cloud.start()
            self.service = Service(self.cloud, self.environment, self._take)
            try:
                self.begin()
                self.variables: dict[str, Any] = dict(self.cloud.address.variables())
                self.whole = self.call("GET", SUBSCRIPTION)
                yield self
            finally:
                self.service.stop()

    def begin(self, **settings: str) -> None:
        """Start a worker; with settings that do not work, it ends."""
        self.environment.update(settings)
        self.service.spawn()
        ready = self.service.ready()
        self.worker_url = ready[0] if ready else ""

    def end(self) -> None:
        self.service.stop()
        self.worker_url = ""

    def kill(self) -> None:
        """End the worker behind the back of everybody."""
        process = self.service._process
        assert process is not None
        os.killpg(process._process.pid, signal.SIGKILL)
        process._process.wait(30)

    def mend(self) -> None:
        """Undo whatever a test has broken."""
        self.do("done")
        self.variables = dict(self.cloud.address.variables())
        self.cloud.faults.set(FaultSettings())
        if self.service.ended() is not None or self.environment["HANDLERS"] != HANDLERS:
            self.end()
            self.begin(HANDLERS=HANDLERS)
        self.call("PUT", TOPIC, {}, may_fail=True)
        self.call("DELETE", SUBSCRIPTION, may_fail=True)
        self.subscribe()
        self.attempts(100)
        self.invokers("allUsers")
        self.exclusions()
        self.forget()

    def forget(self) -> None:
        """Empty the log: smoke looks at the seconds before it was started, too."""
        for name in self.cloud.logs.names():
            self.cloud.logs.delete(name)

    @property
    def revision(self) -> str:
        """The short name of the one that serves."""
        return str(self.call("GET", SERVICE, version="v2")["latestReadyRevision"]).rpartition("/")[
            2
        ]

    def do(self, mode: str) -> None:
        """What the handler does from now on."""
        (self._folder / "mode").write_text(mode)

    def smoke(self, *words: str) -> tuple[int, Json]:
        """The exit code, and what --json says."""
        result = run("smoke", *words, "--json", **self.variables)
        assert result.stderr == ""
        return result.exit_code, json.loads(result.stdout)

    def broken(self, *words: str, wait: float = 0.6) -> Json:
        """The broken rung that smoke names."""
        code, found = self.smoke("--wait", str(wait), *words)
        assert (code, found["verdict"]) == (1, "not_proved"), found
        assert found["broken"] is not None, found["rungs"]
        return dict(found["broken"])

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        version: str = "v1",
        *,
        may_fail: bool = False,
    ) -> Json:
        pubsub = version == "v1"
        host = self.cloud.address.pubsub if pubsub else self.cloud.address.host
        answer = requests.request(method, f"http://{host}/{version}/{path}", json=body, timeout=30)
        assert answer.ok or may_fail, answer.text
        return dict(answer.json())

    def push_config(self, **changes: Any) -> None:
        """Change how the subscription pushes; None takes away."""
        here = {"pushEndpoint": f"{self.worker_url}/"}
        config = {**self.whole["pushConfig"], **here, **changes}
        wanted = {name: value for name, value in config.items() if value is not None}
        self.call("POST", f"{SUBSCRIPTION}:modifyPushConfig", {"pushConfig": wanted})

    def attempts(self, most: int) -> None:
        policy = {**self.whole["deadLetterPolicy"], "maxDeliveryAttempts": most}
        body = {"subscription": {"deadLetterPolicy": policy}, "updateMask": "deadLetterPolicy"}
        self.call("PATCH", SUBSCRIPTION, body)

    def subscribe(self) -> None:
        """Make the subscription as it was."""
        config = {**self.whole["pushConfig"], "pushEndpoint": f"{self.worker_url}/"}
        self.call("PUT", SUBSCRIPTION, {**self.whole, "pushConfig": config})

    def invokers(self, *members: str) -> None:
        """Who may call the service."""
        bindings = [{"role": "roles/run.invoker", "members": list(members)}] if members else []
        body = {"policy": {"bindings": bindings}}
        self.call("POST", f"{SERVICE}:setIamPolicy", body, "v2")

    def pause(self) -> None:
        """Messages wait from now on."""
        self.cloud.faults.set(FaultSettings(paused=True))

    def dead_letters(self) -> int:
        body = {"maxMessages": 100, "returnImmediately": True}
        pulled = self.call("POST", f"{DEAD}:pull", body).get("receivedMessages", [])
        return len(pulled)

    def publish(self, data: bytes) -> str:
        return self.cloud.broker.publish(TOPIC, PubsubMessage(data))

    def wait_for_entry(self, query: str, seconds: float = 30.0) -> None:
        """Until there is an entry that matches."""
        asked = parse(query)
        with self.cloud.logs.listen() as entries:
            while not self.cloud.logs.search(asked, limit=1).entries:
                entries.get(timeout=seconds)

    def exclusions(self, *filters: str) -> None:
        """What the sink _Default leaves out."""
        listed = [{"name": f"no-{i}", "filter": one} for i, one in enumerate(filters)]
        path = "projects/demo/sinks/_Default?updateMask=exclusions"
        self.call("PATCH", path, {"exclusions": listed}, "v2")

    def _take(self, line: bytes, _stream: str) -> None:
        self._lines.append(line)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread
