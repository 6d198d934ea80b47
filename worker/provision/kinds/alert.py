"""An alert policy, with the channels that it tells."""

import json
from dataclasses import dataclass

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import MONITORING
from worker.project.google import Json
from worker.provision import mark
from worker.provision.apis import MONITORING_API
from worker.provision.cloud import Cloud
from worker.provision.compare import differing
from worker.provision.kinds.channel import channel_of
from worker.provision.step import State, Step, gone

KIND = "alertPolicies"
_THEIRS = frozenset({"enabled"})  # who switched an alert off wants it off
_CHANNELS = "notificationChannels"
_LABELS = "userLabels"


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """The policy that `body` describes. It is found by its labels and its service."""

    deployment: Deployment
    body: Json
    apis: tuple[str, ...] = (MONITORING_API,)

    @property
    def title(self) -> str:
        """Its kind and what it is about."""
        return f"alert policy {self.body['userLabels']['alert']}"

    @property
    def about(self) -> str:
        """Its name."""
        return str(self.body["displayName"])

    @property
    def _parent(self) -> str:
        return f"v3/projects/{self.deployment.project}/{KIND}"

    def _found(self, cloud: Cloud) -> Json | None:
        """Ours: the service is what its name begins with, since a label cannot hold every name."""
        wanted = self.body[_LABELS].items()
        for policy in cloud.watching("v3", KIND):
            name = policy.get("displayName", "")
            ours = wanted <= policy.get(_LABELS, {}).items()
            if ours and name.startswith(f"{self.deployment.service}: "):
                return policy
        return None

    def _channels(self, cloud: Cloud) -> list[str]:
        found = (channel_of(cloud, email) for email in self.deployment.alert_emails)
        return [channel["name"] for channel in found if channel is not None]

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there, watches what it should, and tells whom it should."""
        found = self._found(cloud)
        channels = self._channels(cloud)
        if found is None:
            told = {_CHANNELS: channels} if channels else {}
            make = lambda: cloud.google.call(MONITORING, "POST", self._parent, self.body | told)  # noqa: E731
            return Step(self.title, State.MAKE, self.about, make)
        wanted = {name: value for name, value in self.body.items() if name not in _THEIRS}
        changes = {name: wanted[name] for name in differing(wanted, found)}
        told = found.get(_CHANNELS, [])
        if not set(channels) <= set(told):
            changes[_CHANNELS] = list(dict.fromkeys([*told, *channels]))
        if not changes:
            return Step(self.title, State.THERE, self.about)
        change = lambda: self._change(cloud, found["name"], changes)  # noqa: E731
        return Step(self.title, State.CHANGE, ", ".join(changes), change)

    def _change(self, cloud: Cloud, name: str, changes: Json) -> None:
        path = f"v3/{name}?updateMask={','.join(changes)}"
        cloud.google.call(MONITORING, "PATCH", path, {"name": name, **changes})

    def undo(self, cloud: Cloud) -> Step:
        """It is removed: only ours has these labels."""
        found = self._found(cloud)
        if found is None:
            return gone(self.title)
        remove = lambda: cloud.google.call(MONITORING, "DELETE", f"v3/{found['name']}")  # noqa: E731
        return Step(self.title, State.REMOVE, "", remove)

    def script(self) -> str:
        """Made where it is not there. One that is there is left: it may have been tuned."""
        key = self.body[_LABELS]["alert"]
        query = quote(
            f'userLabels.{mark.NAME}="{mark.VALUE}" AND userLabels.alert="{key}"'
            f' AND displayName="{self.body["displayName"]}"'
        )
        variables = [f"$CHANNEL_{n}" for n in range(1, len(self.deployment.alert_emails) + 1)]
        told = f' --notification-channels="{",".join(variables)}"' if variables else ""
        return (
            f"cat >\"$FILES/alert.json\" <<'JSON'\n{json.dumps(self.body, indent=2)}\nJSON\n"
            f'if [[ -z "$(gcloud alpha monitoring policies list --filter={query}'
            " --format='value(name)')\" ]]; then\n"
            '  retry gcloud alpha monitoring policies create --policy-from-file="$FILES/alert.json"'
            f"{told}\n"
            "fi"
        )
