"""A subscription: how long it keeps messages, when it tries again, and when it gives up."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from worker.client.text import quote
from worker.deployment import Deployment
from worker.project.apis import PUBSUB
from worker.project.google import Json
from worker.provision import mark
from worker.provision.apis import PUBSUB_API
from worker.provision.cloud import Cloud
from worker.provision.compare import plain, same
from worker.provision.step import State, Step, gone, stays
from worker.rest import CallFailed

_WORDS = {
    "ackDeadlineSeconds": "ack deadline",
    "messageRetentionDuration": "retention",
    "expirationPolicy": "expiration",
    "deadLetterPolicy": "dead-letter policy",
    "retryPolicy": "retry policy",
}


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription of `topic` with these settings, as the API writes them, and no others.

    It never expires. `flags` are the settings as gcloud takes them. Where it pushes to is
    another resource: `PushEndpoint`.
    """

    deployment: Deployment
    name: str
    topic: str
    settings: Json
    flags: str
    apis: tuple[str, ...] = (PUBSUB_API,)

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"subscription {self.name}"

    @property
    def about(self) -> str:
        """Whose messages it gets."""
        return f"of {self.topic}"

    @property
    def _path(self) -> str:
        return f"v1/{self.deployment.subscription_name(self.name)}"

    @property
    def _wanted(self) -> Json:
        return {**self.settings, "expirationPolicy": {}}

    def look(self, cloud: Cloud) -> Step:
        """Whether it is there, with these settings."""
        found = cloud.google.get(PUBSUB, self._path)
        if found is None:
            return Step(self.title, State.MAKE, self.about, lambda: self._make(cloud))
        if problem := self._problem(found):
            return Step(self.title, State.CANNOT, problem)
        wrong = [name for name, value in self._wanted.items() if not _is(name, value, found)]
        if not wrong:
            return Step(self.title, State.THERE, self.about)
        about = "; ".join(_change(name, self._wanted[name], found.get(name)) for name in wrong)
        return Step(self.title, State.CHANGE, about, lambda: self._change(cloud, wrong))

    def _problem(self, found: Json) -> str:
        """Why it can never be the one that is wanted; "" where it can."""
        remove = f"gcloud pubsub subscriptions delete {self.name}"
        if found.get("topic") == self.deployment.topic_name(self.topic):
            return f"it is detached ({remove})" if found.get("detached") else ""
        if found.get("topic") == "_deleted-topic_":
            return f"its topic was deleted, and it cannot get another ({remove})"
        return "it belongs to another topic (set another name, or that topic)"

    def _make(self, cloud: Cloud) -> None:
        body = {
            "name": self.deployment.subscription_name(self.name),
            "topic": self.deployment.topic_name(self.topic),
            "labels": mark.LABELS,
            **self._wanted,
        }
        cloud.google.call(PUBSUB, "PUT", self._path, body)

    def _change(self, cloud: Cloud, fields: list[str]) -> None:
        name = self.deployment.subscription_name(self.name)
        body = {"name": name, **{field: self._wanted[field] for field in fields}}
        mask = {"subscription": body, "updateMask": ",".join(fields)}
        cloud.google.call(PUBSUB, "PATCH", self._path, mask)

    def undo(self, cloud: Cloud) -> Step:
        """It is removed where it has our label; what it holds goes with it."""
        found = cloud.google.get(PUBSUB, self._path)
        if found is None:
            return gone(self.title)
        if not mark.labelled(found):
            return stays(self.title, mark.NOT_OURS)
        remove = lambda: cloud.google.call(PUBSUB, "DELETE", self._path)  # noqa: E731
        return Step(self.title, State.REMOVE, self._held(cloud), remove)

    def _held(self, cloud: Cloud) -> str:
        count = None
        with suppress(CallFailed):  # the number is worth knowing, not worth stopping for
            count = cloud.backlog(self.name)
        if count is None:
            return "with all messages it holds"
        return f"with the {count} messages it holds" if count else "it holds no message"

    def script(self) -> str:
        """Made where it is not there, else with the settings as they should be."""
        name = quote(self.name)
        return (
            f"if gcloud pubsub subscriptions describe {name} >/dev/null 2>&1; then\n"
            f"  gcloud pubsub subscriptions update {name} {self.flags} --expiration-period=never\n"
            "else\n"
            f"  gcloud pubsub subscriptions create {name} --topic={quote(self.topic)}"
            f" --labels={mark.FLAG} {self.flags} --expiration-period=never\n"
            "fi"
        )


def _is(name: str, value: Any, found: Mapping[str, Any]) -> bool:
    if name == "expirationPolicy":  # without one it is 31 days, with an empty one never
        return name in found and not found[name].get("ttl")
    return same(value, found.get(name))


def _change(name: str, wanted: Any, found: Any) -> str:
    return f"{_WORDS[name]} {_shown(found)} -> {_shown(wanted)}"


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(str(one) for one in value.values()) or "never"
    return "none" if plain(value) is None else str(value)


def push_settings(deployment: Deployment) -> tuple[Json, str]:
    """The settings of the subscription that pushes, and as gcloud takes them."""
    dead = deployment.dead_letter_topic
    shortest, longest = deployment.min_retry_seconds, deployment.max_retry_seconds
    settings = {
        "ackDeadlineSeconds": deployment.ack_deadline_seconds,
        "messageRetentionDuration": f"{deployment.retention_seconds}s",
        "deadLetterPolicy": {
            "deadLetterTopic": deployment.topic_name(dead),
            "maxDeliveryAttempts": deployment.max_delivery_attempts,
        },
        "retryPolicy": {"minimumBackoff": f"{shortest}s", "maximumBackoff": f"{longest}s"},
    }
    flags = (
        f"--ack-deadline={deployment.ack_deadline_seconds}"
        f" --message-retention-duration={deployment.retention_seconds}s"
        f" --dead-letter-topic={quote(dead)}"
        f" --max-delivery-attempts={deployment.max_delivery_attempts}"
        f" --min-retry-delay={shortest}s --max-retry-delay={longest}s"
    )
    return settings, flags


def held_settings(deployment: Deployment) -> tuple[Json, str]:
    """The settings of the subscriptions that hold messages for a person, and for gcloud."""
    duration = f"{deployment.dead_letter_retention_seconds}s"
    return {"messageRetentionDuration": duration}, f"--message-retention-duration={duration}"
