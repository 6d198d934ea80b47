"""A service account."""

from dataclasses import dataclass

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import IAM
from worker.provision import mark
from worker.provision.apis import IAM_API
from worker.provision.cloud import Cloud
from worker.provision.step import State, Step, gone, stays


@dataclass(frozen=True, slots=True)
class Account:
    """The account `name`; `about` is its display name, what it is for."""

    deployment: Deployment
    name: str
    about: str
    variable: str
    apis: tuple[str, ...] = (IAM_API,)

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"service account {self.name}"

    @property
    def _path(self) -> str:
        project, email = self.deployment.project, self.deployment.email(self.name)
        return f"v1/projects/{project}/serviceAccounts/{email}"

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there, and may be used."""
        found = cloud.google.get(IAM, self._path)
        if found is None:
            return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud))
        if found.get("disabled"):
            enable = f"gcloud iam service-accounts enable {self.deployment.email(self.name)}"
            return Step(self.title, State.CANNOT, f"it is disabled ({enable})")
        return Step(self.title, State.THERE, self.about)

    def _make(self, cloud: Cloud) -> None:
        body = {
            "accountId": self.name,
            "serviceAccount": {"displayName": self.about, "description": mark.TEXT},
        }
        path = f"v1/projects/{self.deployment.project}/serviceAccounts"
        cloud.google.call(IAM, "POST", path, body)

    def undo(self, cloud: Cloud) -> Step:
        """It is removed where its description says that it is ours."""
        found = cloud.google.get(IAM, self._path)
        if found is None:
            return gone(self.title)
        if not mark.described(found):
            return stays(self.title, mark.NOT_OURS)
        remove = lambda: cloud.google.call(IAM, "DELETE", self._path)  # noqa: E731
        return Step(self.title, State.REMOVE, "", remove)

    def script(self) -> str:
        """Made where it is not there."""
        return (
            f'gcloud iam service-accounts describe "${self.variable}" >/dev/null 2>&1 ||\n'
            f"  gcloud iam service-accounts create {self.name}"
            f" --display-name={quote(self.about)} --description={quote(mark.TEXT)}"
        )
