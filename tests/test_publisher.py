"""What `publish` sends, and what it refuses to send."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, use_span
from pydantic import BaseModel, Field, SecretStr

from handlers.smoke_test import SmokeTest
from tests.support.standin import Reply, StandIn
from worker import Context, Requirements, feature, publisher
from worker.feature import Feature
from worker.message import PubsubMessage
from worker.publisher import Publisher, PublishFailed, message_of, publish
from worker.testing import deliver

TOPIC = "projects/demo-project/topics/worker"
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str | None = None


class Groom(Requirements):
    pet: Cat | Dog = Field(discriminator="kind")
    due: date
    from_: str = Field("", alias="from", max_length=9)
    coupon: int | None = 5


class Shared(Requirements):
    text: str = ""


class Secret(Requirements):
    word: SecretStr = Field(max_length=3)


class Child(SmokeTest):
    """It is no feature's own."""


@feature("groom")
def groom(want: Groom, context: Context) -> Groom:
    return want


@feature("first")
def first(want: Shared, context: Context) -> None: ...


@feature("second")
def second(want: Shared, context: Context) -> None: ...


@feature("say")
def say(want: str, context: Context) -> None: ...


@feature("keep")
def keep(want: Secret, context: Context) -> None: ...


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """A Pub/Sub that takes everything; connections to it are closed at the end."""
    publisher._shared.cache_clear()
    with StandIn(lambda _call: Reply.json({"messageIds": ["4711"]})) as running:
        monkeypatch.setenv("PUBSUB_EMULATOR_HOST", running.address)
        yield running
        sessions = publisher._shared(f"http://{running.address}")._api._sessions
        if hasattr(sessions, "session"):
            sessions.session.close()
    publisher._shared.cache_clear()


def payload_of(message: PubsubMessage) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(message.data)
    return found


def test_requirements_are_published_to_their_feature(service: StandIn) -> None:
    assert publish(SmokeTest(nonce="Zoë"), topic=TOPIC, description="try") == "4711"

    (call,) = service.calls
    assert call.path == f"/v1/{TOPIC}:publish"
    (sent,) = call.json()["messages"]
    assert set(sent) == {"data", "attributes"}
    assert sent["attributes"] == {}
    assert payload_of(message_of(SmokeTest(nonce="Zoë"), description="try")) == {
        "feature": "smoke_test",
        "description": "try",
        "requirements": {"nonce": "Zoë"},
    }


def test_a_message_has_its_keys_and_its_trace() -> None:
    message = message_of(
        SmokeTest(), ordering_key="pet-7", idempotency_key="order-1",
        attributes={"tenant": "a"}, traceparent=TRACE,
    )  # fmt: skip
    assert message.ordering_key == "pet-7"
    assert message.attributes == {
        "tenant": "a",
        "idempotency_key": "order-1",
        "traceparent": TRACE,
    }


def test_none_is_the_same_as_not_given() -> None:
    message = message_of(
        SmokeTest(), feature=None, ordering_key=None, idempotency_key=None, attributes=None,
        traceparent=None,
    )  # fmt: skip
    assert message == message_of(SmokeTest())


def test_a_publisher_keeps_its_topic(service: StandIn) -> None:
    mine = Publisher(TOPIC)
    assert [mine.publish(SmokeTest()), mine.publish("hello", feature="say")] == ["4711", "4711"]
    assert {call.path for call in service.calls} == {f"/v1/{TOPIC}:publish"}
    mine._pubsub._api._sessions.session.close()


def test_a_topic_of_the_own_project_needs_its_name_only(
    service: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "demo-project")
    publish(SmokeTest(), topic="worker")
    publish(SmokeTest())
    paths = [call.path for call in service.calls]
    assert paths == [f"/v1/{TOPIC}:publish", "/v1/projects/demo-project/topics/features:publish"]


@pytest.mark.parametrize("topic", ["", "features", "projects/p", "projects/p/topics/", "a/b"])
def test_a_topic_that_nobody_can_find_is_refused(
    topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    with pytest.raises(ValueError, match="topic"):
        publish(SmokeTest(), topic=topic)


def test_what_pubsub_refuses_is_a_failure(service: StandIn) -> None:
    service.answer = lambda _call: Reply.error(404, "Resource not found (resource=worker).")
    with pytest.raises(PublishFailed, match="404: Resource not found"):
        publish(SmokeTest(), topic=TOPIC)


GROOMS = [
    Groom.model_validate({"pet": {"kind": "cat"}, "due": "2026-12-01"}),
    Groom(pet=Cat(), due=date(2026, 12, 1)),
    Groom(pet=Dog(name="Rex"), due=date(2026, 12, 1), coupon=None),
    Groom.model_validate({"pet": {"kind": "dog"}, "due": "2026-12-01", "from": "x"}),
]


@pytest.mark.parametrize("want", GROOMS)
def test_the_worker_reads_the_same_requirements(want: Groom) -> None:
    """Whatever was left out: tags with defaults, aliases, and null where it is no default."""
    assert handled(groom, want) == want.model_dump(mode="json", by_alias=False)


def test_what_was_not_set_is_not_sent() -> None:
    assert payload_of(message_of(SmokeTest()))["requirements"] == {}
    given = {"pet": {"kind": "cat"}, "due": "2026-12-01"}
    sent = payload_of(message_of(Groom.model_validate(given)))
    assert sent["requirements"] == given, "the worker's own defaults count"


def handled(of: Feature[Any], want: BaseModel, **options: Any) -> Any:
    delivered = deliver(of, payload_of(message_of(want, **options))["requirements"])
    assert delivered.outcome == "done", delivered.reason
    return delivered.result


@given(text=ANY_TEXT, description=ANY_TEXT)
def test_any_text_arrives_or_is_refused_in_one_line(text: str, description: str) -> None:
    if re.search("[\ud800-\udfff]", text + description):
        with pytest.raises(ValueError, match=r"^a text of the payload holds a lone surrogate$"):
            message_of(text, feature="say", description=description)
        return
    payload = payload_of(message_of(text, feature="say", description=description))
    assert payload == {"feature": "say", "description": description, "requirements": text}
    assert deliver(say, text, description).outcome == "done"


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "nobody's text": ("SECRET", {}, "the requirements do not say whose they are: give feature="),
    "nobody's nothing": (None, {}, "the requirements do not say whose they are: give feature="),
    "a child's class": (Child(), {}, "the requirements do not say whose they are: give feature="),
    "two features'": (Shared(), {}, "Shared belongs to first, second: say which with feature="),
    "another's": (Shared(), {"feature": "smoke_test"},
                  "Shared belongs to first, second, not to that feature"),
    "no name": ("SECRET", {"feature": "No Name"}, "feature is no feature name"),
    "unchecked": (SmokeTest().model_copy(update={"nonce": 7}), {}, "SmokeTest holds a value"),
    "too long": (SmokeTest.model_construct(nonce="SECRET" * 99), {},
                 "SmokeTest does not take its own values: requirements.nonce"),
    "a secret": (Secret(word=SecretStr("abc")), {}, "Secret does not take its own values"),
    "no trace": (SmokeTest(), {"traceparent": "SECRET"}, "traceparent is none"),
    "a long key": (SmokeTest(), {"ordering_key": "ö" * 513},
                   "the ordering key has 1026 bytes (1024 at most)"),
    "half a character": (SmokeTest(), {"ordering_key": "\ud800"},
                         "the ordering key holds a lone surrogate"),
    "many attributes": (SmokeTest(), {"attributes": {f"a{n}": "" for n in range(101)}},
                        "101 attributes are too many (100 at most)"),
    "Google's attribute": (SmokeTest(), {"attributes": {"googSECRET": ""}},
                           "an attribute's name is empty, or begins with goog"),
    "a long name": (SmokeTest(), {"attributes": {"n" * 257: ""}},
                    "an attribute's name has 257 bytes (256 at most)"),
    "a long value": (SmokeTest(), {"idempotency_key": "SECRET" * 171},
                     "the attribute idempotency_key has 1026 bytes (1024 at most)"),
    "a large message": ("SECRET" * 1_700_000, {"feature": "say"}, "(10000000 at most)"),
}  # fmt: skip


@pytest.mark.parametrize(("want", "options", "why"), REFUSED.values(), ids=REFUSED)
def test_what_could_not_be_handled_is_not_sent(want: Any, options: Any, why: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        message_of(want, **options)
    said = str(refused.value)
    assert why in said
    assert "SECRET" not in said
    assert "\n" not in said


def test_one_of_two_features_can_be_chosen() -> None:
    assert payload_of(message_of(Shared(), feature="second"))["feature"] == "second"


def test_the_trace_of_the_active_span_goes_along() -> None:
    with TracerProvider().get_tracer("tests").start_as_current_span("order") as span:
        context = span.get_span_context()
        found = message_of(SmokeTest()).attributes["traceparent"]
        assert "traceparent" not in message_of(SmokeTest(), traceparent="").attributes
    assert found == f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    assert "traceparent" not in message_of(SmokeTest()).attributes


def test_a_span_that_is_not_sampled_says_so() -> None:
    context = SpanContext(trace_id=1, span_id=2, is_remote=False, trace_flags=TraceFlags(0))
    with use_span(NonRecordingSpan(context)):
        found = message_of(SmokeTest()).attributes["traceparent"]
    assert found == f"00-{1:032x}-{2:016x}-00"


def test_a_program_without_opentelemetry_does_not_load_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [one for one in sys.modules if one.partition(".")[0] == "opentelemetry"]:
        monkeypatch.delitem(sys.modules, name)
    assert message_of(SmokeTest()).attributes == {}
    assert "opentelemetry" not in sys.modules
