"""The bucket of the artifacts: private, whatever anybody sets on its files."""

from dataclasses import dataclass

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import STORAGE
from worker.project.google import Json
from worker.project.policy import Policy
from worker.provision import mark
from worker.provision.apis import STORAGE_API
from worker.provision.cloud import Cloud
from worker.provision.compare import differing
from worker.provision.kinds.targets import Target
from worker.provision.step import State, Step, gone, stays

_ACCESS = "iamConfiguration"
# No access lists of single files, and nobody can make any of them public.
_PRIVATE = {
    "uniformBucketLevelAccess": {"enabled": True},
    "publicAccessPrevention": "enforced",
}
# Below this version conditions are left out, and lost when the policy is written.
_WHOLE_POLICY = "optionsRequestedPolicyVersion=3"
_WORDS = {
    "uniformBucketLevelAccess": "uniform access",
    "publicAccessPrevention": "public access prevention",
}


def bucket_path(name: str) -> str:
    """Where Cloud Storage has a bucket: buckets are in no project's folder."""
    return f"storage/v1/b/{name}"


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket that somebody else made is used as it is. Files are data: they are never removed."""

    deployment: Deployment
    apis: tuple[str, ...] = (STORAGE_API,)

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"bucket {self.deployment.bucket}"

    @property
    def about(self) -> str:
        """Of what, and where."""
        return f"artifacts, in {self.deployment.region}"

    @property
    def _path(self) -> str:
        return bucket_path(self.deployment.bucket)

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there, and private if it is ours."""
        found = cloud.google.get(STORAGE, self._path)
        if found is None:
            return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud))
        wrong = differing(_PRIVATE, found.get(_ACCESS, {})) if mark.labelled(found) else []
        if not wrong:
            return Step(self.title, State.THERE, self.about)
        about = ", ".join(_WORDS[name] for name in wrong)
        return Step(self.title, State.CHANGE, about, lambda: self._change(cloud))

    def _make(self, cloud: Cloud) -> None:
        body = {
            "name": self.deployment.bucket,
            "location": self.deployment.region,
            "labels": mark.LABELS,
            _ACCESS: _PRIVATE,
        }
        cloud.google.call(STORAGE, "POST", f"storage/v1/b?project={self.deployment.project}", body)

    def _change(self, cloud: Cloud) -> None:
        cloud.google.call(STORAGE, "PATCH", self._path, {_ACCESS: _PRIVATE})

    def undo(self, cloud: Cloud) -> Step:
        """It is removed where it has our label and holds nothing."""
        found = cloud.google.get(STORAGE, self._path)
        if found is None:
            return gone(self.title)
        if not mark.labelled(found):
            return stays(self.title, mark.NOT_OURS)
        page = cloud.google.call(STORAGE, "GET", f"{self._path}/o?maxResults=1&versions=true")
        if page.get("items"):
            return stays(self.title, "stays: there are files in it")
        remove = lambda: cloud.google.call(STORAGE, "DELETE", self._path)  # noqa: E731
        return Step(self.title, State.REMOVE, "it holds no file", remove)

    def script(self) -> str:
        """Made where it is not there, and marked."""
        name = quote(f"gs://{self.deployment.bucket}")
        return (
            f"gcloud storage buckets describe {name} >/dev/null 2>&1 || {{\n"
            f'  gcloud storage buckets create {name} --location="$REGION"'
            " --uniform-bucket-level-access --public-access-prevention\n"
            f"  gcloud storage buckets update {name} --update-labels={mark.FLAG}\n"
            "}"
        )


class BucketTarget(Target):
    """A bucket as what roles are granted on: its policy is read and written in its own way."""

    __slots__ = ()

    def _ask(self, cloud: Cloud) -> Json:
        return cloud.google.call(STORAGE, "GET", f"{self.path}/iam?{_WHOLE_POLICY}")

    def write(self, cloud: Cloud, policy: Policy) -> None:
        """Set the policy; refused where another was written since. Raises CallFailed."""
        cloud.google.call(STORAGE, "PUT", f"{self.path}/iam", policy.resource)


def bucket_target(deployment: Deployment) -> Target:
    """The bucket of the artifacts."""
    return BucketTarget(
        f"bucket {deployment.bucket}", STORAGE, bucket_path(deployment.bucket),
        f"gcloud storage buckets add-iam-policy-binding {quote(f'gs://{deployment.bucket}')}",
        (STORAGE_API,),
    )  # fmt: skip
