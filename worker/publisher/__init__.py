"""Publish a feature from Python: typed requirements in, message id out.

    from handlers.smoke_test import SmokeTest
    from worker.publisher import publish

    publish(SmokeTest(nonce="run-7"), topic="projects/my-project/topics/features")

With PUBSUB_EMULATOR_HOST it goes to the emulator, else to Pub/Sub with the application-default
credentials. `features export` writes this module and the models as a package for other services.
"""

import functools
import os
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypedDict, Unpack

from pydantic import BaseModel

from worker import pubsub
from worker.message import PubsubMessage
from worker.publisher.limits import check
from worker.publisher.payload import encoded
from worker.pubsub import PUBSUB, PublishFailed
from worker.rest import application_default

__all__ = ["Options", "PublishFailed", "Publisher", "message_of", "publish"]

TOPIC = "features"
PROJECT_VARIABLE = "GOOGLE_CLOUD_PROJECT"
IDEMPOTENCY_KEY = "idempotency_key"  # the attributes that the worker looks at
TRACEPARENT = "traceparent"

_TOPIC = re.compile(r"projects/[^/\s]+/topics/[^/\s]+")
_TRACEPARENT = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


class Options(TypedDict, total=False):
    """What a message may have besides its requirements.

    `feature` is needed where the requirements do not say it: text, None, or a class that several
    features take. Messages of one `ordering_key` are delivered in their order; those of one
    `idempotency_key` are handled once. `traceparent` (W3C) is that of the active OpenTelemetry
    span, unless it is given; "" leaves it out.
    """

    feature: str | None
    description: str
    ordering_key: str | None
    idempotency_key: str | None
    attributes: Mapping[str, str] | None
    traceparent: str | None


class Publisher:
    """Publishes to one topic and waits for each confirmation. Safe to share by threads.

    `topic` is `projects/P/topics/T`, or a name in the project that GOOGLE_CLOUD_PROJECT says.
    `credentials` are asked once, and never for an emulator. Raises ValueError.
    """

    def __init__(
        self, topic: str = TOPIC, credentials: Callable[[], Any] = application_default
    ) -> None:
        self.topic = _full(topic)
        self._pubsub = pubsub.Publisher(credentials)

    def publish(
        self, requirements: BaseModel | str | None = None, **options: Unpack[Options]
    ) -> str:
        """Publish one message; its id. Raises PublishFailed, or ValueError for what cannot be."""
        return self._pubsub.publish(self.topic, message_of(requirements, **options))


def publish(
    requirements: BaseModel | str | None = None, topic: str = TOPIC, **options: Unpack[Options]
) -> str:
    """Publish one message to the topic; its id. Raises PublishFailed, or ValueError."""
    message = message_of(requirements, **options)
    return _shared(PUBSUB.endpoint()).publish(_full(topic), message)


@functools.cache
def _shared(endpoint: str) -> pubsub.Publisher:  # noqa: ARG001 - a connection is to one address
    return pubsub.Publisher()


def message_of(
    requirements: BaseModel | str | None = None, **options: Unpack[Options]
) -> PubsubMessage:
    """The message that `publish` sends. Raises ValueError."""
    data = encoded(options.get("feature"), options.get("description", ""), requirements)
    attributes = dict(options.get("attributes") or {})
    if key := options.get("idempotency_key"):
        attributes[IDEMPOTENCY_KEY] = key
    if trace := _traceparent(options.get("traceparent")):
        attributes[TRACEPARENT] = trace
    message = PubsubMessage(data, attributes, options.get("ordering_key") or "")
    check(message)
    return message


def _traceparent(given: str | None) -> str:
    if given is None:
        return _active_span()
    if given and not _TRACEPARENT.fullmatch(given):
        raise ValueError("traceparent is none (want VERSION-TRACE-SPAN-FLAGS of W3C Trace Context)")
    return given


def _active_span() -> str:
    """That of OpenTelemetry, if this process has loaded it: a program without it pays nothing."""
    tracing = sys.modules.get("opentelemetry.trace")
    if tracing is None:
        return ""
    span = tracing.get_current_span().get_span_context()
    if not span.is_valid:
        return ""
    return f"00-{span.trace_id:032x}-{span.span_id:016x}-{span.trace_flags:02x}"


def _full(topic: str) -> str:
    project = os.environ.get(PROJECT_VARIABLE, "")
    name = topic if "/" in topic or not project else f"projects/{project}/topics/{topic}"
    if _TOPIC.fullmatch(name):
        return name
    if "/" in topic or not topic:
        raise ValueError("topic is none (want projects/P/topics/T, or a name)")
    raise ValueError(f"the project is not known: set {PROJECT_VARIABLE}, or topic=projects/P/...")
