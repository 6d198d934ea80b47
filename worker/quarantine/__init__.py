"""Where a rejected message goes at once, whole, before it is acked."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from worker.message import Message, Push, digest_id
from worker.outcome import BadEnvelope, BadPayload, Stop, UnknownFeature

# Who rejected it, by the exception's class; whatever else it may be was raised by the handler.
_KINDS: Mapping[type[Stop], str] = {
    BadEnvelope: "bad_envelope",
    BadPayload: "bad_payload",
    UnknownFeature: "unknown_feature",
}
HANDLER = "handler"


class QuarantineFailed(Exception):
    """The message could not be kept, so it must not be acked."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A rejected push with everything that is needed to understand it and to deliver it again.

    `message` is None when the envelope could not be read. Credentials are left out of `headers`.
    """

    reason: str
    time: datetime  # aware
    headers: Mapping[str, str]
    body: bytes
    message: Message | None = None
    feature: str = ""
    kind: str = HANDLER

    @classmethod
    def of(
        cls, push: Push, message: Message | None, feature: str, stop: Stop, time: datetime
    ) -> "Rejected":
        """What there is to keep of a push that ended with `stop`."""
        kind = _KINDS.get(type(stop), HANDLER)
        return cls(stop.reason, time, push.public_headers(), push.body, message, feature, kind)

    @property
    def id(self) -> str:
        """The same for each delivery of the same message, so that it is quarantined once."""
        if self.message is None:
            return digest_id(b"body", self.body)
        return digest_id(
            self.message.subscription.encode(),
            self.message.source.encode(),
            self.message.id.encode(),
        )

    def record(self) -> dict[str, Any]:
        """As JSON fields; `body` is the request's bytes in base64."""
        message = self.message
        return {
            "id": self.id,
            "time": self.time.isoformat(),
            "reason": self.reason,
            "kind": self.kind,
            "feature": self.feature,
            "message_id": message.id if message else None,
            "subscription": message.subscription if message else None,
            "delivery_attempt": message.delivery_attempt if message else None,
            "publish_time": _iso(message.publish_time) if message else None,
            "ordering_key": message.ordering_key if message else None,
            "attributes": dict(message.attributes) if message else None,
            "form": message.form.value if message else None,
            "headers": dict(self.headers),
            "body": base64.b64encode(self.body).decode("ascii"),
        }


class Quarantine(Protocol):
    """Keeps rejected messages; the same message kept twice is there once, if the place allows."""

    def keep(self, rejected: Rejected) -> str:
        """Keep it durably and return its address. Raises QuarantineFailed."""


class NoQuarantine:
    """QUARANTINE=none: nothing is kept here, the subscription's dead-letter policy decides."""

    def keep(self, rejected: Rejected) -> str:  # noqa: ARG002 - the protocol's signature
        """Refuse, so that the message is nacked."""
        raise QuarantineFailed("QUARANTINE=none: nacked, the dead-letter policy decides")


def _iso(time: datetime | None) -> str | None:
    return time.isoformat() if time else None
