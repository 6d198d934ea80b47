"""Hypothesis strategies: what nobody would send, and what is nearly a push."""

import base64
import json
from typing import Any

from hypothesis import strategies as st

from tests.support.pushes import EVENTARC, METADATA, SMOKE_TEST, wrapped
from worker.message import Push

TEXT = st.text(st.characters(), max_size=40)  # lone surrogates included

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)

_NAMES = [
    *METADATA, *EVENTARC, "content-type", "ce-data", "x-goog-pubsub-ordering-key",
    "x-goog-ordering-key", "traceparent", "x-cloud-trace-context", "authorization",
    "idempotency_key",
]  # fmt: skip
_VALUES = [
    "", "0", "1.0", *METADATA.values(), *EVENTARC.values(), "application/json",
    "application/cloudevents+json", "application/cloudevents-batch+json",
    "application/x-www-form-urlencoded", "00-" + "0" * 32 + "-" + "0" * 16 + "-01",
]  # fmt: skip
HEADERS = st.lists(
    st.tuples(st.sampled_from(_NAMES) | TEXT, st.sampled_from(_VALUES) | TEXT), max_size=8
).map(tuple)


@st.composite
def near_bodies(draw: st.DrawFn) -> bytes:
    """A wrapped push, or a structured event around it, with a part that is something else."""
    payload: dict[str, Any] = dict(SMOKE_TEST)
    _spoil(draw, payload, "other")
    body = wrapped(payload)
    _spoil(draw, body["message"], "orderingKey")
    _spoil(draw, body, "deliveryAttempt")
    if draw(st.booleans()):
        body = {name.removeprefix("ce-"): value for name, value in EVENTARC.items()} | {
            "data": body
        }
        _spoil(draw, body, "data_base64")
    return json.dumps(body).encode()


def _spoil(draw: st.DrawFn, record: dict[str, Any], extra: str) -> None:
    """Replace a field by anything, now and then, or leave it out."""
    name = draw(st.sampled_from([*record, extra]))
    match draw(st.sampled_from(["keep", "keep", "drop", "anything", "base64"])):
        case "drop":
            record.pop(name, None)
        case "anything":
            record[name] = draw(JSON)
        case "base64":
            record[name] = base64.b64encode(draw(st.binary())).decode()


BODIES = st.binary() | JSON.map(lambda value: json.dumps(value).encode()) | near_bodies()

PUSHES = st.builds(Push, HEADERS, BODIES, st.none())
