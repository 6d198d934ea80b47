"""The revision that serves, as numbers. Source: google.cloud.run.v2.Revision, RevisionTemplate."""

import re
from dataclasses import dataclass
from typing import Any

from worker.config import Settings, SettingsInvalid, read_settings
from worker.deployment import Deployment
from worker.doctor.live.snapshot import Json, Live, Read, Skipped, Unread, seconds_of, there

LATEST = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST"
_CONCURRENCY = 80  # what Cloud Run takes where nothing is said
_TIMEOUT = "300s"  # same
_INSTANCES = 100  # same
_MEMORY = "512Mi"  # same
_MIB = {"": 1 / 2**20, "k": 1e3 / 2**20, "Ki": 1 / 2**10, "M": 1e6 / 2**20, "Mi": 1.0,
        "G": 1e9 / 2**20, "Gi": 2.0**10}  # fmt: skip
_QUANTITY = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([A-Za-z]*)")


@dataclass(frozen=True, slots=True)
class Serving:
    """The revision that serves, within its service."""

    service: Json
    revision: Json

    @property
    def container(self) -> Json:
        """The container that gets the requests."""
        containers: list[Json] = self.revision.get("containers") or [{}]
        return next((one for one in containers if one.get("ports")), containers[0])

    @property
    def variables(self) -> dict[str, str | None]:
        """Its environment; None for a value that is kept elsewhere, as a secret."""
        return {
            str(one.get("name")): None if "valueSource" in one else str(one.get("value", ""))
            for one in self.container.get("env", [])
        }

    @property
    def timeout_seconds(self) -> float:
        """For one request."""
        return seconds_of(self.revision.get("timeout") or _TIMEOUT)

    @property
    def concurrency(self) -> int:
        """Requests at once in one instance."""
        return int(self.revision.get("maxInstanceRequestConcurrency") or _CONCURRENCY)

    @property
    def max_instances(self) -> int:
        """The most instances: the smaller of what the revision and the service allow."""
        given = (one.get("scaling", {}).get("maxInstanceCount") for one in self._both)
        return min((int(count) for count in given if count), default=_INSTANCES)

    @property
    def memory_mib(self) -> float:
        """The limit of its memory."""
        return mib_of(self._resources.get("limits", {}).get("memory") or _MEMORY)

    @property
    def throttled(self) -> bool:
        """Whether it has no CPU while it handles no request."""
        return bool(self._resources.get("cpuIdle"))

    @property
    def account(self) -> str:
        """The e-mail address of the account that it runs as."""
        return str(self.revision.get("serviceAccount", ""))

    @property
    def _both(self) -> tuple[Json, Json]:
        return self.service, self.revision

    @property
    def _resources(self) -> dict[str, Any]:
        resources: dict[str, Any] = self.container.get("resources", {})
        return resources

    def settings(self, deployment: Deployment) -> Settings:
        """What the worker makes of its environment. Raises SettingsInvalid.

        Raises Skipped when a setting is kept elsewhere, so that nobody can know it here.
        """
        given = {name: _stand_in(name, value) for name, value in self.variables.items()}
        given["K_SERVICE"] = deployment.service
        return read_settings(given, project=deployment.project)


def mib_of(quantity: object) -> float:
    """MiB in a quantity as Kubernetes writes it, "512Mi". Raises Skipped for anything else."""
    found = _QUANTITY.fullmatch(str(quantity))
    if found is None or found[2] not in _MIB:
        raise Skipped
    return float(found[1]) * _MIB[found[2]]


def serving_of(live: Live) -> Serving:
    """The revision that serves. Raises Skipped without one."""
    return Serving(there(live.service), there(live.serving))


def settings_of(live: Live, deployment: Deployment) -> Settings:
    """Its settings. Raises Skipped without a revision, or when it makes none of them."""
    try:
        return serving_of(live).settings(deployment)
    except SettingsInvalid:
        raise Skipped from None


def serving_revision(service: Read[Json | None]) -> str:
    """The full name of the revision with the most traffic, where it is not the newest; else ""."""
    if service is None or isinstance(service, Unread):
        return ""
    newest = str(service.get("latestCreatedRevision", ""))
    ready = str(service.get("latestReadyRevision", ""))
    shares = service.get("trafficStatuses") or service.get("traffic") or [{"type": LATEST}]
    most = max(shares, key=lambda one: int(one.get("percent", 0)))
    if most.get("type") == LATEST:
        return ready if ready != newest else ""
    name = f"{service['name']}/revisions/{most.get('revision', '')}"
    return name if name != newest else ""


def _stand_in(name: str, value: str | None) -> str:
    """A value for one that is kept elsewhere: that of CLAIMS is an address with a password."""
    if value is None and name == "CLAIMS":
        return "rediss://secret"
    if value is None and name in Settings.variables():
        raise Skipped
    return value or ""
