"""A topic."""

from dataclasses import dataclass

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import PUBSUB
from worker.provision import mark
from worker.provision.apis import PUBSUB_API
from worker.provision.cloud import Cloud
from worker.provision.step import State, Step, gone, stays


@dataclass(frozen=True, slots=True)
class Topic:
    """The topic `name`; one that is there is taken as it is. `ours` are its subscriptions."""

    deployment: Deployment
    name: str
    about: str
    ours: tuple[str, ...]
    apis: tuple[str, ...] = (PUBSUB_API,)

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"topic {self.name}"

    @property
    def _path(self) -> str:
        return f"v1/{self.deployment.topic_name(self.name)}"

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there."""
        if cloud.google.get(PUBSUB, self._path) is None:
            return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud))
        return Step(self.title, State.THERE, self.about)

    def _make(self, cloud: Cloud) -> None:
        body = {"name": self.deployment.topic_name(self.name), "labels": mark.LABELS}
        cloud.google.call(PUBSUB, "PUT", self._path, body)

    def undo(self, cloud: Cloud) -> Step:
        """It is removed where it has our label and nobody else subscribes to it."""
        found = cloud.google.get(PUBSUB, self._path)
        if found is None:
            return gone(self.title)
        if not mark.labelled(found):
            return stays(self.title, mark.NOT_OURS)
        others = self._others(cloud)
        if others:
            return stays(self.title, f"stays: others subscribe to it ({', '.join(others)})")
        remove = lambda: cloud.google.call(PUBSUB, "DELETE", self._path)  # noqa: E731
        return Step(self.title, State.REMOVE, "", remove)

    def _others(self, cloud: Cloud) -> list[str]:
        path = f"{self._path}/subscriptions"
        names: list[str] = cloud.google.call(PUBSUB, "GET", path).get("subscriptions", [])
        ours = {self.deployment.subscription_name(name) for name in self.ours}
        return [name for name in names if name not in ours]

    def script(self) -> str:
        """Made where it is not there."""
        name = quote(self.name)
        return (
            f"gcloud pubsub topics describe {name} >/dev/null 2>&1 ||\n"
            f"  gcloud pubsub topics create {name} --labels={mark.FLAG}"
        )
