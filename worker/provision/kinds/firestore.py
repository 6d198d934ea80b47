"""The database of the claims, and the policy that removes the old ones."""

from dataclasses import dataclass

from worker.claims.firestore import COLLECTION
from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import FIRESTORE
from worker.provision.apis import FIRESTORE_API
from worker.provision.cloud import Cloud
from worker.provision.step import State, Step, stays

EXPIRY = "expires_at"
_NATIVE = "FIRESTORE_NATIVE"


@dataclass(frozen=True, slots=True)
class Database:
    """A Firestore database in native mode. It is data: it is never removed."""

    deployment: Deployment
    apis: tuple[str, ...] = (FIRESTORE_API,)

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"Firestore database {self.deployment.database}"

    @property
    def about(self) -> str:
        """Where it is."""
        return f"in {self.deployment.region}"

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there, in the mode that has documents."""
        parent = f"v1/projects/{self.deployment.project}/databases"
        found = cloud.google.get(FIRESTORE, f"{parent}/{self.deployment.database}")
        if found is None:
            return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud, parent))
        if found.get("type", _NATIVE) != _NATIVE:
            why = 'it is in Datastore mode (set claims = "firestore:claims" for one of its own)'
            return Step(self.title, State.CANNOT, why)
        return Step(self.title, State.THERE, self.about)

    def _make(self, cloud: Cloud, parent: str) -> None:
        body = {"type": _NATIVE, "locationId": self.deployment.region}
        path = f"{parent}?databaseId={self.deployment.database}"
        cloud.google.wait(FIRESTORE, "v1", cloud.google.call(FIRESTORE, "POST", path, body))

    def undo(self, cloud: Cloud) -> Step:  # noqa: ARG002 - as every resource
        """It is left."""
        return stays(self.title, "stays: it is data")

    def script(self) -> str:
        """Made where it is not there."""
        given = f"--database={quote(self.deployment.database)}"
        return (
            f"gcloud firestore databases describe {given} >/dev/null 2>&1 ||\n"
            f'  gcloud firestore databases create {given} --location="$REGION" --format=none'
        )


@dataclass(frozen=True, slots=True)
class Expiry:
    """The TTL policy: claims whose time is over are removed."""

    deployment: Deployment
    apis: tuple[str, ...] = (FIRESTORE_API,)
    title: str = "TTL policy of the claims"
    about: str = f"{COLLECTION}.{EXPIRY}"

    @property
    def _path(self) -> str:
        database = f"projects/{self.deployment.project}/databases/{self.deployment.database}"
        return f"v1/{database}/collectionGroups/{COLLECTION}/fields/{EXPIRY}"

    def look(self, cloud: Cloud) -> Step:
        """Whether the field has the policy, or is about to."""
        found = cloud.google.get(FIRESTORE, self._path)
        if found is not None and "ttlConfig" in found:
            return Step(self.title, State.THERE, self.about)
        return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud))

    def _make(self, cloud: Cloud) -> None:
        """Not waited for: it takes many minutes, and nothing needs it now."""
        body = {"name": self._path.removeprefix("v1/"), "ttlConfig": {}}
        cloud.google.call(FIRESTORE, "PATCH", f"{self._path}?updateMask=ttlConfig", body)

    def undo(self, cloud: Cloud) -> Step:  # noqa: ARG002 - as every resource
        """It is left with its database."""
        return stays(self.title, "stays with its database")

    def script(self) -> str:
        """One command, which does not wait."""
        return (
            f"gcloud firestore fields ttls update {EXPIRY} --collection-group={COLLECTION}"
            f" --database={quote(self.deployment.database)} --enable-ttl --async"
        )
