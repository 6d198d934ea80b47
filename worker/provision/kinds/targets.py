"""What roles are granted on, each with the calls that read and write its IAM policy."""

from dataclasses import dataclass

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import ARTIFACT_REGISTRY, IAM, PROJECTS, PUBSUB, RUN
from worker.project.google import Json
from worker.project.policy import Policy
from worker.provision.apis import ARTIFACT_REGISTRY_API, IAM_API, PROJECTS_API, PUBSUB_API
from worker.provision.cloud import Cloud
from worker.rest import CallFailed, Service

_NOT_FOUND = 404
_VERSION = 3  # of a policy: in others conditions are left out, and lost when it is written
_QUERY = f"?options.requestedPolicyVersion={_VERSION}"


@dataclass(frozen=True, slots=True)
class Target:
    """A resource with a policy. `path` begins with the version; `command` grants a role on it."""

    title: str
    service: Service
    path: str
    command: str
    apis: tuple[str, ...]
    method: str = "GET"
    query: str = _QUERY
    body: Json | None = None
    of_service: bool = False  # it is the Cloud Run service, which others make

    def policy(self, cloud: Cloud) -> Policy | None:
        """Who may do what to it; None while it is not there. Raises CallFailed."""
        return cloud.once(f"policy of {self.path}", lambda: self._read(cloud))

    def _read(self, cloud: Cloud) -> Policy | None:
        try:
            return Policy(self._ask(cloud))
        except CallFailed as failed:
            if failed.status == _NOT_FOUND:
                return None
            raise

    def _ask(self, cloud: Cloud) -> Json:
        path = f"{self.path}:getIamPolicy{self.query}"
        return cloud.google.call(self.service, self.method, path, self.body)

    def write(self, cloud: Cloud, policy: Policy) -> None:
        """Set the policy; refused where another was written since. Raises CallFailed."""
        cloud.google.call(
            self.service, "POST", f"{self.path}:setIamPolicy", {"policy": policy.resource}
        )


def project_target(deployment: Deployment) -> Target:
    """The project itself."""
    return Target(
        "the project", PROJECTS, f"v1/projects/{deployment.project}",
        'gcloud projects add-iam-policy-binding "$PROJECT" --condition=None', (PROJECTS_API,),
        method="POST", query="", body={"options": {"requestedPolicyVersion": _VERSION}},
    )  # fmt: skip


def account_target(deployment: Deployment, account: str, variable: str) -> Target:
    """A service account, whose address the script has in a variable."""
    parent = f"v1/projects/{deployment.project}/serviceAccounts"
    return Target(
        f"account {account}", IAM, f"{parent}/{deployment.email(account)}",
        f'gcloud iam service-accounts add-iam-policy-binding "${variable}"', (IAM_API,),
        method="POST",
    )  # fmt: skip


def topic_target(deployment: Deployment, topic: str) -> Target:
    """A topic."""
    return Target(
        f"topic {topic}", PUBSUB, f"v1/{deployment.topic_name(topic)}",
        f"gcloud pubsub topics add-iam-policy-binding {quote(topic)}", (PUBSUB_API,),
    )  # fmt: skip


def subscription_target(deployment: Deployment, name: str) -> Target:
    """A subscription."""
    return Target(
        f"subscription {name}", PUBSUB, f"v1/{deployment.subscription_name(name)}",
        f"gcloud pubsub subscriptions add-iam-policy-binding {quote(name)}", (PUBSUB_API,),
    )  # fmt: skip


def repository_target(deployment: Deployment) -> Target:
    """The repository of the images."""
    place = f"projects/{deployment.project}/locations/{deployment.region}"
    name = deployment.repository
    return Target(
        f"repository {name}", ARTIFACT_REGISTRY, f"v1/{place}/repositories/{name}",
        f'gcloud artifacts repositories add-iam-policy-binding {name} --location="$REGION"',
        (ARTIFACT_REGISTRY_API,),
    )  # fmt: skip


def service_target(deployment: Deployment) -> Target:
    """The Cloud Run service."""
    return Target(
        f"service {deployment.service}", RUN, f"v2/{deployment.service_name}",
        f'gcloud run services add-iam-policy-binding {deployment.service} --region="$REGION"',
        (), of_service=True,
    )  # fmt: skip
