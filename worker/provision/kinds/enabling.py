"""The APIs, and the account that Pub/Sub acts with."""

from dataclasses import dataclass

from worker.project.apis import SERVICE_USAGE
from worker.provision.apis import IAM_API, PROJECTS_API, PUBSUB_API
from worker.provision.cloud import Cloud
from worker.provision.kinds.targets import Target
from worker.provision.step import State, Step, stays

TOKEN_CREATOR = "roles/iam.serviceAccountTokenCreator"  # noqa: S105 - a role, no secret


@dataclass(frozen=True, slots=True)
class Apis:
    """The APIs, enabled. They stay enabled: others may have come to need them."""

    project: str
    names: tuple[str, ...]
    title: str = "APIs"
    about: str = "what is used of Google Cloud"
    apis: tuple[str, ...] = ()

    def look(self, cloud: Cloud) -> Step:
        """Which are missing. All are sent: to enable one again changes nothing."""
        missing = [name for name in self.names if name not in cloud.enabled()]
        if not missing:
            return Step(self.title, State.THERE, self.about)
        short = ", ".join(name.removesuffix(".googleapis.com") for name in missing)
        return Step(self.title, State.MAKE, short, lambda: self._enable(cloud))

    def _enable(self, cloud: Cloud) -> None:
        path = f"v1/projects/{self.project}/services:batchEnable"
        names = {"serviceIds": list(self.names)}
        operation = cloud.google.call(SERVICE_USAGE, "POST", path, names)
        cloud.google.wait(SERVICE_USAGE, "v1", operation)

    def undo(self, cloud: Cloud) -> Step:  # noqa: ARG002 - as every resource
        """They are left enabled."""
        return stays(self.title, "stay enabled")

    def script(self) -> str:
        """One command."""
        return f"gcloud services enable {' '.join(self.names)}"


@dataclass(frozen=True, slots=True)
class Agent:
    """Pub/Sub's own account, which Google makes when it is asked to, or by and by.

    No API tells whether it is there. Where it has its role on `named_in`, it is.
    """

    project: str
    named_in: Target
    title: str = "Pub/Sub's service agent"
    about: str = "makes the tokens, forwards dead letters"
    apis: tuple[str, ...] = (PUBSUB_API, PROJECTS_API, IAM_API)

    def look(self, cloud: Cloud) -> Step:
        """Whether it has a role already."""
        policy = self.named_in.policy(cloud)
        if policy and f"serviceAccount:{cloud.agent()}" in policy.members(TOKEN_CREATOR):
            return Step(self.title, State.THERE, self.about)
        return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud))

    def _make(self, cloud: Cloud) -> None:
        path = f"v1beta1/projects/{self.project}/services/{PUBSUB_API}:generateServiceIdentity"
        operation = cloud.google.call(SERVICE_USAGE, "POST", path)
        cloud.google.wait(SERVICE_USAGE, "v1", operation)

    def undo(self, cloud: Cloud) -> Step:  # noqa: ARG002 - as every resource
        """It is Google's."""
        return stays(self.title, "stays: it is Google's")

    def script(self) -> str:
        """One command."""
        return f"gcloud beta services identity create --service={PUBSUB_API}"
