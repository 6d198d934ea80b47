"""Pushes without the wrapper: the data is the body, the rest headers or nothing."""

import json
from typing import Any

from tests.differential.endpoint import Push
from tests.differential.scenario import scenario
from tests.differential.scenarios.bodies import PUBLISHED, pushed
from tests.differential.stage import Stage, listed

UNWRAPPING = "[unwrapping](https://cloud.google.com/pubsub/docs/payload-unwrapping)"


def unwrapped(stage: Stage, data: bytes, attributes: dict[str, str], **settings: Any) -> Push:
    config = {"noWrapper": {"writeMetadata": settings.pop("metadata", False)}}
    return pushed(stage, data, attributes, pushConfig=config, **settings)


@scenario("unwrapped, without metadata", ours="the data is the body, nothing else of the message")
def bare(stage: Stage) -> str:
    push = unwrapped(stage, PUBLISHED, {"colour": "blue"})
    told = [name for name in push.headers if name.startswith("x-goog-") or name == "colour"]
    alone = push.body == PUBLISHED and not told
    return "the data is the body, nothing else of the message" if alone else f"{told}"


@scenario("unwrapped, with metadata", ours="id, time, subscription and attributes are headers")
def with_metadata(stage: Stage) -> str:
    push = unwrapped(stage, PUBLISHED, {"colour": "blue"}, metadata=True)
    wanted = ("subscription-name", "message-id", "publish-time")
    assert push.body == PUBLISHED
    assert push.headers["colour"] == "blue"
    missing = [name for name in wanted if f"x-goog-pubsub-{name}" not in push.headers]
    return listed(missing) or "id, time, subscription and attributes are headers"


@scenario(
    "unwrapped, with metadata: the header of the ordering key",
    ours="x-goog-pubsub-ordering-key",
    emulator="x-goog-ordering-key",
    documented=f"all metadata is under `x-goog-pubsub-` ({UNWRAPPING})",
)
def key_header(stage: Stage) -> str:
    config = {"noWrapper": {"writeMetadata": True}}
    push = pushed(stage, key="a key", enableMessageOrdering=True, pushConfig=config)
    return listed(name for name, value in push.headers.items() if value == "a key")


@scenario(
    "unwrapped: binary data",
    ours="arrives whole",
    emulator="is decoded as UTF-8, and what is none is replaced",
    documented=f"the data is sent as the body ({UNWRAPPING})",
)
def unwrapped_binary(stage: Stage) -> str:
    push = unwrapped(stage, b"\xff\xfe\x80", {})
    if push.body == b"\xff\xfe\x80":
        return "arrives whole"
    return "is decoded as UTF-8, and what is none is replaced"


@scenario(
    "unwrapped, with metadata: an attribute with a line break",
    ours="pushed without that header",
    emulator="never pushed",
    documented=f"not said; a message that HTTP cannot carry must not stop others ({UNWRAPPING})",
)
def line_break(stage: Stage) -> str:
    endpoint = stage.endpoint()
    topic = stage.api.topic()
    config = {"noWrapper": {"writeMetadata": True}}
    stage.api.push(topic, endpoint.url, pushConfig=config, ackDeadlineSeconds=60)
    stage.api.publish(topic, b"broken", {"broken": "line1\nline2: evil", "whole": "yes"})
    if not endpoint.soon(len, 4.0):
        return "never pushed"
    (push,) = endpoint.wait_for(1)
    assert push.headers["whole"] == "yes"
    assert "evil" not in json.dumps(dict(push.headers))
    return "pushed without that header"
