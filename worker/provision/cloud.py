"""The project as provision asks it: what several resources want to know is asked once."""

import threading
from collections.abc import Callable
from typing import TypeVar

from worker.deployment import Deployment, pubsub_agent
from worker.project.apis import MONITORING, SERVICE_USAGE
from worker.project.google import Google, Json
from worker.project.project import Project
from worker.provision.apis import RUN_API

_Answer = TypeVar("_Answer")


class Cloud:
    """What is there at one moment. Safe to share by threads; every method raises CallFailed."""

    def __init__(self, project: Project, deployment: Deployment) -> None:
        self._project = project
        self._deployment = deployment
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._answers: dict[str, object] = {}

    @property
    def google(self) -> Google:
        """The APIs, to ask what only one resource wants to know, and to change it."""
        return self._project.google

    def later(self) -> "Cloud":
        """The same project at another moment: nothing of what was asked is kept."""
        return Cloud(self._project, self._deployment)

    def once(self, what: str, ask: Callable[[], _Answer]) -> _Answer:
        """The answer to `ask`, from whoever asked for `what` first. A failure is asked again."""
        with self._lock:
            lock = self._locks.setdefault(what, threading.Lock())
        with lock:
            if what not in self._answers:
                self._answers[what] = ask()
            return self._answers[what]  # type: ignore[return-value]  # a name has one kind of answer

    def enabled(self) -> frozenset[str]:
        """The APIs that are enabled in the project."""
        return self.once("apis", self._enabled)

    def _enabled(self) -> frozenset[str]:
        path = f"v1/projects/{self._deployment.project}/services?filter=state:ENABLED&pageSize=200"
        found = self.google.pages(SERVICE_USAGE, path, "services")
        return frozenset(one["name"].rpartition("/")[2] for one in found)

    def agent(self) -> str:
        """Pub/Sub's own account in this project."""
        return pubsub_agent(self.once("number", self._project.number))

    def service(self) -> Json | None:
        """The Cloud Run service, None before it was deployed."""
        if RUN_API not in self.enabled():
            return None
        name = self._deployment.service_name
        return self.once("service", lambda: self._project.service(name))

    def watching(self, version: str, kind: str) -> list[Json]:
        """All of the project's "dashboards", "alertPolicies" or "notificationChannels"."""
        path = f"{version}/projects/{self._deployment.project}/{kind}"
        return self.once(kind, lambda: self.google.pages(MONITORING, path, kind))

    def backlog(self, subscription: str) -> int | None:
        """How many messages Cloud Monitoring last counted in a subscription, None if it did not."""
        metric = "pubsub.googleapis.com/subscription/num_undelivered_messages"
        for series in self._project.series(metric, 10, subscription_id=subscription):
            for point in series.get("points", []):  # the newest first
                return int(float(next(iter(point["value"].values()))))
        return None
