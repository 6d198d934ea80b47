"""A log-based metric."""

import json
from dataclasses import dataclass

from worker.deployment import Deployment
from worker.project.apis import LOGGING
from worker.project.google import Json
from worker.provision import mark
from worker.provision.apis import LOGGING_API
from worker.provision.cloud import Cloud
from worker.provision.compare import differing
from worker.provision.step import State, Step, gone, stays


@dataclass(frozen=True, slots=True)
class Metric:
    """The metric that `body` describes. Its description carries our mark."""

    deployment: Deployment
    body: Json
    apis: tuple[str, ...] = (LOGGING_API,)

    @property
    def _name(self) -> str:
        return str(self.body["name"])

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"log-based metric {self._name}"

    @property
    def about(self) -> str:
        """What it counts."""
        return str(self.body.get("description", ""))

    @property
    def _parent(self) -> str:
        return f"v2/projects/{self.deployment.project}/metrics"

    @property
    def _wanted(self) -> Json:
        return self.body | {"description": f"{self.about} {mark.TEXT}"}

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there, and counts what it should."""
        found = cloud.google.get(LOGGING, f"{self._parent}/{self._name}")
        if found is None:
            make = lambda: cloud.google.call(LOGGING, "POST", self._parent, self._wanted)  # noqa: E731
            return Step(self.title, State.MAKE, self.about, make)
        wrong = differing(self._wanted, found)
        if not wrong:
            return Step(self.title, State.THERE, self.about)
        return Step(self.title, State.CHANGE, ", ".join(wrong), lambda: self._set(cloud, found))

    def _set(self, cloud: Cloud, found: Json) -> None:
        """Updates replace all of it: what we do not set is sent as it was."""
        path = f"{self._parent}/{self._name}"
        cloud.google.call(LOGGING, "PUT", path, found | self._wanted)

    def undo(self, cloud: Cloud) -> Step:
        """It is removed where its description says that it is ours."""
        path = f"{self._parent}/{self._name}"
        found = cloud.google.get(LOGGING, path)
        if found is None:
            return gone(self.title)
        if not mark.described(found):
            return stays(self.title, mark.NOT_OURS)
        remove = lambda: cloud.google.call(LOGGING, "DELETE", path)  # noqa: E731
        return Step(self.title, State.REMOVE, "", remove)

    def script(self) -> str:
        """Made where it is not there, else set again."""
        given = f'{self._name} --config-from-file="$FILES/metric.json"'
        return (
            f"cat >\"$FILES/metric.json\" <<'JSON'\n{json.dumps(self._wanted, indent=2)}\nJSON\n"
            f"if gcloud logging metrics describe {self._name} >/dev/null 2>&1; then\n"
            f"  gcloud logging metrics update {given}\n"
            "else\n"
            f"  gcloud logging metrics create {given}\n"
            "fi"
        )
