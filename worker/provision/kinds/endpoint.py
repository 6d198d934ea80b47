"""Where the subscription pushes to: the service, with a token. Sent whole, or not at all.

A subscription without an endpoint keeps its messages and counts no attempts, so there is none
before there is a service: docs/adr/0015-no-endpoint-before-a-service.md.
"""

from dataclasses import dataclass

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import PUBSUB
from worker.project.google import Json
from worker.provision.apis import PUBSUB_API
from worker.provision.cloud import Cloud
from worker.provision.compare import differing
from worker.provision.step import State, Step, gone


@dataclass(frozen=True, slots=True)
class PushEndpoint:
    """The push configuration. What else is in it (attributes, unwrapping) is kept."""

    deployment: Deployment
    apis: tuple[str, ...] = ()  # it looks for the service first, and without that asks nothing

    @property
    def title(self) -> str:
        """Whose it is."""
        return f"push endpoint of {self.deployment.subscription}"

    @property
    def about(self) -> str:
        """Where it leads."""
        return f"the service {self.deployment.service}"

    @property
    def _name(self) -> str:
        return self.deployment.subscription_name(self.deployment.subscription)

    def look(self, cloud: Cloud) -> Step:
        """Whether the subscription pushes to the service, with the right token."""
        service = cloud.service()
        if service is None:
            return Step(self.title, State.WAITS, "messages wait until the service is deployed")
        uri = service.get("uri", "")
        if not uri:
            return Step(self.title, State.WAITS, "the service has no address yet")
        found = self._found(cloud)
        wanted = self._wanted(uri)
        if not differing(wanted, found):
            return Step(self.title, State.THERE, uri)
        state = State.CHANGE if found.get("pushEndpoint") else State.MAKE
        return Step(self.title, state, uri, lambda: self._set(cloud, found | wanted))

    def _found(self, cloud: Cloud) -> Json:
        if PUBSUB_API not in cloud.enabled():
            return {}
        subscription = cloud.google.get(PUBSUB, f"v1/{self._name}") or {}
        config: Json = subscription.get("pushConfig", {})
        return config

    def _wanted(self, uri: str) -> Json:
        account = self.deployment.email(self.deployment.push_account)
        return {
            "pushEndpoint": f"{uri}/",
            "oidcToken": {"serviceAccountEmail": account, "audience": uri},
        }

    def _set(self, cloud: Cloud, config: Json) -> None:
        body = {"name": self._name, "pushConfig": config}
        mask = {"subscription": body, "updateMask": "pushConfig"}
        cloud.google.call(PUBSUB, "PATCH", f"v1/{self._name}", mask)

    def undo(self, cloud: Cloud) -> Step:  # noqa: ARG002 - as every resource
        """It goes with its subscription."""
        return gone(self.title)

    def script(self) -> str:
        """Set where it differs: an update drops what it does not mention."""
        name = quote(self.deployment.subscription)
        fields = (
            "pushConfig.pushEndpoint,pushConfig.oidcToken.serviceAccountEmail,"
            "pushConfig.oidcToken.audience"
        )
        return (
            f'FOUND="$(gcloud pubsub subscriptions describe {name}'
            f' --format=\'value[separator=" "]({fields})\')"\n'
            'if [[ -n "$URL" && "$FOUND" != "$URL/ $PUSHER $URL" ]]; then\n'
            f'  gcloud pubsub subscriptions update {name} --push-endpoint="$URL/"'
            ' --push-auth-service-account="$PUSHER" --push-auth-token-audience="$URL"\n'
            "fi"
        )
