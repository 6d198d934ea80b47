"""The AsyncAPI document: AsyncAPI's own parser takes it, and it says what the features say."""

import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from handlers.smoke_test import smoke_test
from tests.support.documented import (
    HOSTILE,
    TYPES,
    altered,
    feature_sets,
    of_every_kind,
    resolve_all,
    taking,
)
from tests.support.tools import missing, tool
from worker.catalog.asyncapi import document
from worker.catalog.described import Described, describe
from worker.feature import Feature
from worker.registry import load

NODE = Path(__file__).resolve().parents[1] / "clients" / "node"
TOPIC = "projects/demo/topics/features"
WARNING = 1  # of the parser's severities; an error is 0

# The flags of such a pattern cannot be said in JSON Schema, so the pattern is left out.
SAID_EXACTLY = sorted(set(TYPES) - {"other_regex"})


def describe_all(features: list[Feature[Any]]) -> list[Described]:
    return [describe(one) for one in features]


def parse(*documents: dict[str, Any]) -> list[list[list[Any]]]:
    """What the parser says of each document: [severity, code, path, message]."""
    node = tool("node")
    if not (NODE / "node_modules" / "@asyncapi" / "parser").is_dir():
        missing("AsyncAPI's parser is not installed (make node-clients)")
    done = subprocess.run(
        [node, NODE / "asyncapi.mjs"],
        input=json.dumps(documents), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: list[list[list[Any]]] = json.loads(done.stdout)
    return said


def schema_of(name: str, made: dict[str, Any]) -> dict[str, Any]:
    reference = {"$ref": f"#/components/schemas/payload.{name}"}
    return {"allOf": [reference], "components": made["components"]}


def test_the_official_parser_finds_nothing_and_would_find_a_fault() -> None:
    every_kind = document(describe_all(of_every_kind()), topic=TOPIC)
    ours = document(describe_all(load("handlers").all()), topic="features")
    broken = copy.deepcopy(every_kind)
    broken["components"]["schemas"]["payload.takes_text"]["type"] = "objekt"

    *said, of_broken = parse(every_kind, ours, document([], topic=TOPIC), broken)

    assert [[one for one in each if one[0] <= WARNING] for each in said] == [[], [], []]
    assert any("payload.takes_text/type" in where for _, _, where, _ in of_broken)


def test_the_channel_is_the_topic_and_has_one_message_for_each_feature() -> None:
    made = document(describe_all(of_every_kind()), topic=TOPIC)

    (channel,) = made["channels"].values()
    (operation,) = made["operations"].values()
    assert (channel["address"], operation["action"]) == (TOPIC, "receive")
    names = sorted(one.name for one in of_every_kind())
    assert list(channel["messages"]) == list(made["components"]["messages"]) == names
    assert len(operation["messages"]) == len(names)
    resolve_all(made)


def test_a_message_says_what_its_feature_says() -> None:
    one = describe(smoke_test)

    made = document([one], topic=TOPIC)

    message = made["components"]["messages"]["smoke_test"]
    assert (message["name"], message["summary"]) == ("smoke_test", one.summary)
    assert [example["payload"] for example in message["examples"]] == list(one.examples)
    assert message["tags"] == []
    headers = made["components"]["schemas"]["attributes"]
    assert {"idempotency_key", "traceparent"} <= set(headers["properties"])


def test_an_idempotent_feature_is_tagged_and_hostile_text_stays_text() -> None:
    made = document([describe(taking("odd", {}))], topic=TOPIC)

    message = json.loads(json.dumps(made))["components"]["messages"]["odd"]
    assert message["description"] == HOSTILE
    assert message["tags"] == [{"name": "idempotent"}]


@pytest.mark.parametrize("feature", of_every_kind(), ids=lambda one: str(one.name))
def test_the_examples_fit_the_payload_of_their_message(feature: Feature[Any]) -> None:
    made = document([describe(feature)], topic=TOPIC)

    validator = Draft7Validator(schema_of(feature.name, made))
    for example in made["components"]["messages"][feature.name]["examples"]:
        validator.validate(example["payload"])


def test_what_is_said_beside_a_reference_still_counts() -> None:
    made = document(
        [describe(taking("odd", {"pet": (TYPES["inner_with_text"], ...)}))], topic=TOPIC
    )

    schema = made["components"]["schemas"]["payload.odd"]
    (pet,) = schema["properties"]["requirements"]["properties"].values()
    inner = {"$ref": "#/components/schemas/payload.odd/$defs/Inner"}
    assert pet == {"description": "beside the reference", "allOf": [inner]}


@settings(max_examples=150)
@given(st.data())
def test_a_payload_fits_in_the_dialect_of_asyncapi_if_and_only_if_it_fits(
    data: st.DataObject,
) -> None:
    name = data.draw(st.sampled_from(SAID_EXACTLY))
    one = describe(taking("feature", {name: (TYPES[name], ...)}))
    payload = altered(one.examples[0], data.draw)
    made = document([one], topic=TOPIC)

    fits = Draft7Validator(schema_of("feature", made)).is_valid(payload)

    assert fits == Draft202012Validator(one.payload).is_valid(payload)


@settings(max_examples=30)
@given(feature_sets)
def test_any_set_of_features_gives_the_same_whole_document_in_any_order(
    features: list[Feature[Any]],
) -> None:
    made = document(describe_all(features), topic=TOPIC)

    resolve_all(made)
    assert json.dumps(made) == json.dumps(document(describe_all(features[::-1]), topic=TOPIC))
