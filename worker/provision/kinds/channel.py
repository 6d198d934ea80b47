"""A notification channel: an address that alerts are sent to."""

from dataclasses import dataclass

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import MONITORING
from worker.project.google import Json
from worker.provision import mark
from worker.provision.apis import MONITORING_API
from worker.provision.cloud import Cloud
from worker.provision.step import State, Step, gone, stays

KIND = "notificationChannels"


def channel_of(cloud: Cloud, email: str) -> Json | None:
    """The channel of an address, whoever made it. Raises CallFailed."""
    for channel in cloud.watching("v3", KIND):
        if channel.get("type") == "email" and channel.get("labels") == {"email_address": email}:
            return channel
    return None


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel of an e-mail address; `number` counts them in the script."""

    deployment: Deployment
    email: str
    number: int
    apis: tuple[str, ...] = (MONITORING_API,)

    @property
    def title(self) -> str:
        """Its kind and address."""
        return f"notification channel {self.email}"

    @property
    def about(self) -> str:
        """What it is for."""
        return "is told of alerts"

    @property
    def _name(self) -> str:
        return f"Feature worker: {self.email}"

    def look(self, cloud: Cloud) -> Step:
        """Whether alerts can be sent there."""
        if channel_of(cloud, self.email) is not None:
            return Step(self.title, State.THERE, self.about)
        return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud))

    def _make(self, cloud: Cloud) -> None:
        body = {
            "type": "email",
            "displayName": self._name,
            "labels": {"email_address": self.email},
            "userLabels": mark.LABELS,
        }
        path = f"v3/projects/{self.deployment.project}/{KIND}"
        cloud.google.call(MONITORING, "POST", path, body)

    def undo(self, cloud: Cloud) -> Step:
        """It is removed where it has our label."""
        found = channel_of(cloud, self.email)
        if found is None:
            return gone(self.title)
        if not mark.labelled(found, "userLabels"):
            return stays(self.title, mark.NOT_OURS)
        remove = lambda: cloud.google.call(MONITORING, "DELETE", f"v3/{found['name']}")  # noqa: E731
        return Step(self.title, State.REMOVE, "", remove)

    def script(self) -> str:
        """Made where it is not there; its name is kept for the alert policies."""
        variable = f"CHANNEL_{self.number}"
        query = quote(f'type="email" AND labels.email_address="{self.email}"')
        return (
            f'{variable}="$(gcloud beta monitoring channels list --filter={query}'
            " --format='value(name)' --limit=1)\"\n"
            f'if [[ -z "${variable}" ]]; then\n'
            f'  {variable}="$(gcloud beta monitoring channels create --type=email'
            f" --display-name={quote(self._name)}"
            f" --channel-labels={quote(f'email_address={self.email}')}"
            f" --user-labels={mark.FLAG} --format='value(name)')\"\n"
            "fi"
        )
