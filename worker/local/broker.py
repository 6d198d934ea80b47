"""Calls to Pub/Sub over REST, ours or Google's emulator: what is set up, pointed and published.

Sources: projects.topics, projects.subscriptions.
"""

from dataclasses import dataclass
from typing import Any

import requests

from worker.local.errors import ApiError, Code
from worker.message import PubsubMessage
from worker.pubsub import resource_of

_TIMEOUT_SECONDS = 30.0
_ACK_DEADLINE_SECONDS = 10
_MAX_ATTEMPTS = 5  # Pub/Sub's lowest: what always fails is a dead letter after some seconds
AUDIENCE = "feature-worker"  # of the tokens, wherever the worker listens
_RETRY = {"minimumBackoff": "1s", "maximumBackoff": "10s"}


@dataclass(frozen=True, slots=True)
class Names:
    """What is set up in a project, by full names."""

    project: str = "demo"

    @property
    def topic(self) -> str:
        """Where features are published."""
        return f"projects/{self.project}/topics/features"

    @property
    def subscription(self) -> str:
        """Whose pushes go to the worker."""
        return f"projects/{self.project}/subscriptions/feature-worker"

    @property
    def dead_topic(self) -> str:
        """Where Pub/Sub forwards what it gave up on."""
        return f"projects/{self.project}/topics/feature-worker-dead"

    @property
    def dead_letters(self) -> str:
        """The subscription that keeps it."""
        return f"projects/{self.project}/subscriptions/feature-worker-dead"

    @property
    def account(self) -> str:
        """Whose tokens the pushes carry."""
        return f"feature-worker-push@{self.project}.iam.gserviceaccount.com"


class Broker:
    """Calls the Pub/Sub at HOST:PORT. Every method raises ApiError. Safe to share by threads."""

    def __init__(self, host: str, names: Names) -> None:
        self._base = f"http://{host}/v1"
        self._names = names
        self._config: dict[str, Any] = {}  # the last PushConfig that had an endpoint

    def provision(self) -> None:
        """Make what is not there: topics, the dead letters' subscription, a paused one for pushes.

        What is there stays as it is, so that what a user changed is not changed back.
        """
        names = self._names
        self._make(names.dead_topic, {})
        self._make(names.topic, {})
        never: dict[str, Any] = {"expirationPolicy": {}}
        self._make(names.dead_letters, {"topic": names.dead_topic, **never})
        policy = {"deadLetterTopic": names.dead_topic, "maxDeliveryAttempts": _MAX_ATTEMPTS}
        subscription = {
            "topic": names.topic,
            "ackDeadlineSeconds": _ACK_DEADLINE_SECONDS,
            "deadLetterPolicy": policy,
            "retryPolicy": _RETRY,
            **never,
        }
        self._make(names.subscription, subscription)

    def pause(self) -> None:
        """Push no more: what is published waits. How it was pushed is remembered."""
        config = self._call("GET", self._names.subscription).get("pushConfig", {})
        self._config = config if config.get("pushEndpoint") else self._config
        self._push({})

    def point(self, url: str) -> None:
        """Push to the worker there from now on: as before, or else wrapped and with a token."""
        token = {"serviceAccountEmail": self._names.account, "audience": AUDIENCE}
        self._push({"oidcToken": token, **self._config, "pushEndpoint": f"{url}/"})

    def _push(self, config: dict[str, Any]) -> None:
        """Always the whole configuration: what is left out would be dropped, the token as well."""
        self._call("POST", f"{self._names.subscription}:modifyPushConfig", {"pushConfig": config})

    def publish(self, topic: str, message: PubsubMessage) -> str:
        """Publish to `projects/P/topics/T` and return the message id."""
        answer = self._call("POST", f"{topic}:publish", {"messages": [resource_of(message)]})
        return str(answer["messageIds"][0])

    def _make(self, name: str, resource: dict[str, Any]) -> None:
        try:
            self._call("PUT", name, resource)
        except ApiError as error:
            if error.code is not Code.ALREADY_EXISTS:
                raise

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            with requests.Session() as session:
                session.trust_env = False  # no proxy: it is on this machine
                answer = session.request(
                    method, f"{self._base}/{path}", json=body, timeout=_TIMEOUT_SECONDS
                )
                found: dict[str, Any] = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise ApiError(
                Code.UNAVAILABLE, f"{self._base} cannot be used: {type(error).__name__}"
            ) from None
        if answer.ok:
            return found
        said = found.get("error", {})
        code = Code.__members__.get(str(said.get("status")), Code.INTERNAL)
        raise ApiError(code, str(said.get("message", answer.reason)))
