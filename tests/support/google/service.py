"""A Cloud Run service that a test plants, and changes, without a call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.support.google.knative import Place, apply
from tests.support.google.request import Json
from tests.support.google.run_view import revision_of, service_of
from tests.support.google.state import PROJECT, State

IMAGE = "europe-west1-docker.pkg.dev/demo-project/feature-worker/feature-worker:1"


@dataclass(frozen=True, slots=True)
class Settings:
    """Of a deployment, as `gcloud run deploy` has options for. Annotations are Knative's."""

    image: str = IMAGE
    env: Mapping[str, str] = field(default_factory=dict)
    timeout_seconds: int = 610
    concurrency: int = 8
    memory: str = "512Mi"
    cpu: str = "1"
    account: str = f"feature-worker@{PROJECT}.iam.gserviceaccount.com"
    annotations: Mapping[str, str] = field(default_factory=dict)  # of the service
    template_annotations: Mapping[str, str] = field(
        default_factory=lambda: {"autoscaling.knative.dev/maxScale": "10"}
    )
    revision: str = ""  # its name; Cloud Run makes one up
    traffic: tuple[Mapping[str, Any], ...] = ()  # Knative's; empty: all to the latest


def knative_of(place: Place, settings: Settings) -> Json:
    """What gcloud would send."""
    template: Json = {"annotations": dict(settings.template_annotations)}
    if settings.revision:
        template["name"] = settings.revision
    container = {
        "image": settings.image,
        "env": [{"name": name, "value": value} for name, value in settings.env.items()],
        "resources": {"limits": {"cpu": settings.cpu, "memory": settings.memory}},
    }
    spec: Json = {
        "containerConcurrency": settings.concurrency,
        "timeoutSeconds": settings.timeout_seconds,
        "serviceAccountName": settings.account,
        "containers": [container],
    }
    service: Json = {
        "apiVersion": "serving.knative.dev/v1",
        "kind": "Service",
        "metadata": {"name": place.service, "annotations": dict(settings.annotations)},
        "spec": {"template": {"metadata": template, "spec": spec}},
    }
    if settings.traffic:
        service["spec"]["traffic"] = [dict(one) for one in settings.traffic]
    return service


class PlantedService:
    """A service that is there: `v1` is what is kept, and may be changed in place."""

    def __init__(self, state: State, place: Place) -> None:
        self._state = state
        self._place = place

    @property
    def name(self) -> str:
        """`projects/P/locations/R/services/S`."""
        return self._place.name

    @property
    def v1(self) -> Json:
        """The Knative service."""
        return self._state.get("run", self._place.name)

    @property
    def v2(self) -> Json:
        """What version 2 answers for it."""
        return service_of(self._place, self.v1)

    @property
    def uri(self) -> str:
        """Where it is called."""
        return str(self.v1["status"]["url"])

    @property
    def latest(self) -> "PlantedRevision":
        """The newest revision, ready or not."""
        return self.revision(self.v1["status"]["latestCreatedRevisionName"])

    def revision(self, name: str) -> "PlantedRevision":
        """Raises Refused where there is none of that name."""
        return PlantedRevision(self._state, self._place, name)

    def deploy(self, **settings: Any) -> "PlantedRevision":
        """A new revision with these Settings."""
        apply(self._state, self._place, knative_of(self._place, Settings(**settings)))
        return self.latest


class PlantedRevision:
    """A revision that is there."""

    def __init__(self, state: State, place: Place, name: str) -> None:
        self._place = place
        self.v1 = state.get("run", place.revision(name))
        self.id = name

    @property
    def name(self) -> str:
        """`projects/P/locations/R/services/S/revisions/R`."""
        return self._place.revision(self.id)

    @property
    def v2(self) -> Json:
        """What version 2 answers for it."""
        return revision_of(self._place, self.v1)
