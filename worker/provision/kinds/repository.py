"""The Artifact Registry repository of the images."""

from dataclasses import dataclass

from worker.deployment import Deployment
from worker.project.apis import ARTIFACT_REGISTRY
from worker.provision import mark
from worker.provision.apis import ARTIFACT_REGISTRY_API
from worker.provision.cloud import Cloud
from worker.provision.step import State, Step, gone, stays

_FORMAT = "DOCKER"


@dataclass(frozen=True, slots=True)
class Repository:
    """It holds images, nothing else."""

    deployment: Deployment
    apis: tuple[str, ...] = (ARTIFACT_REGISTRY_API,)

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"repository {self.deployment.repository}"

    @property
    def about(self) -> str:
        """Of what, and where."""
        return f"images, in {self.deployment.region}"

    @property
    def _place(self) -> str:
        return f"v1/projects/{self.deployment.project}/locations/{self.deployment.region}"

    @property
    def _path(self) -> str:
        return f"{self._place}/repositories/{self.deployment.repository}"

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there, for images."""
        found = cloud.google.get(ARTIFACT_REGISTRY, self._path)
        if found is None:
            return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud))
        if found.get("format") != _FORMAT:
            return Step(self.title, State.CANNOT, "it is not for images: set another `repository`")
        return Step(self.title, State.THERE, self.about)

    def _make(self, cloud: Cloud) -> None:
        path = f"{self._place}/repositories?repositoryId={self.deployment.repository}"
        body = {"format": _FORMAT, "labels": mark.LABELS}
        operation = cloud.google.call(ARTIFACT_REGISTRY, "POST", path, body)
        cloud.google.wait(ARTIFACT_REGISTRY, "v1", operation)

    def undo(self, cloud: Cloud) -> Step:
        """It is removed where it has our label."""
        found = cloud.google.get(ARTIFACT_REGISTRY, self._path)
        if found is None:
            return gone(self.title)
        if not mark.labelled(found):
            return stays(self.title, mark.NOT_OURS)
        return Step(self.title, State.REMOVE, "with all its images", lambda: self._remove(cloud))

    def _remove(self, cloud: Cloud) -> None:
        operation = cloud.google.call(ARTIFACT_REGISTRY, "DELETE", self._path)
        cloud.google.wait(ARTIFACT_REGISTRY, "v1", operation)

    def script(self) -> str:
        """Made where it is not there."""
        name, place = self.deployment.repository, '--location="$REGION"'
        return (
            f"gcloud artifacts repositories describe {name} {place} >/dev/null 2>&1 ||\n"
            f"  gcloud artifacts repositories create {name} {place}"
            f" --repository-format=docker --labels={mark.FLAG}"
        )
