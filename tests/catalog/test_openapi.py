"""The OpenAPI document: valid for any set of features, and true of the edge as it is."""

import ast
import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from handlers.smoke_test import smoke_test
from tests.support.documented import feature_sets, of_every_kind, resolve_all, takes_text
from tests.support.inprocess import make_worker
from tests.support.pushes import push_of
from worker import http1
from worker.app import create_app
from worker.catalog.described import Described, describe
from worker.catalog.openapi import document
from worker.envelope import PUBSUB_EVENT, decode
from worker.feature import Feature
from worker.outcome import OUTCOMES
from worker.registry import load

CLOUDEVENT = {"content-type": "application/cloudevents+json"}


def of(*features: Feature[Any]) -> dict[str, Any]:
    return document([describe(one) for one in features])


def check(made: dict[str, Any]) -> None:
    """It is valid, and every reference leads somewhere."""
    assert [str(error) for error in OpenAPIV31SpecValidator(made).iter_errors()] == []
    resolve_all(made)


def validator(made: dict[str, Any], name: str) -> Draft202012Validator:
    reference = {"$ref": f"#/components/schemas/{name}"}
    return Draft202012Validator(
        {**reference, "components": made["components"]},
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def responses(made: dict[str, Any], path: str, method: str) -> dict[str, Any]:
    found: dict[str, Any] = made["paths"][path][method]["responses"]
    return found


def test_the_document_is_valid_whatever_the_features_are() -> None:
    check(of(*load("handlers").all()))
    check(of(*of_every_kind()))
    check(of())


@settings(max_examples=15)
@given(feature_sets)
def test_any_set_of_features_gives_the_same_valid_document_in_any_order(
    features: list[Feature[Any]],
) -> None:
    made = of(*features)

    check(made)
    assert json.dumps(made) == json.dumps(of(*features[::-1]))


def test_a_push_may_be_answered_with_every_status_of_every_outcome() -> None:
    told = responses(of(smoke_test), "/", "post")

    for outcome in OUTCOMES:
        for status in outcome.statuses:
            found = told[str(status)]
            assert f"`{outcome.name}`: {outcome.message}" in found["description"]
            schema = found["content"]["application/json"]["schema"]
            assert outcome.name in schema["properties"]["outcome"]["enum"]


def test_whatever_the_reader_cannot_read_has_its_status_on_every_path() -> None:
    source = ast.parse(Path(http1.__file__).read_text())
    statuses = {
        node.value
        for call in ast.walk(source)
        if isinstance(call, ast.Call | ast.IfExp)
        for node in ast.iter_child_nodes(call)
        if isinstance(node, ast.Constant) and isinstance(node.value, int) and node.value >= 400
    }
    made = of()

    assert {400, 414, 431, 501} <= statuses
    for path, operations in made["paths"].items():
        for method in operations:
            assert {*map(str, statuses), "405"} <= set(responses(made, path, method))
    assert "Allow" in made["components"]["responses"]["MethodNotAllowed"]["headers"]


def test_every_route_of_the_site_is_there_with_its_methods() -> None:
    made = of(smoke_test)

    for rule in create_app(make_worker()).url_map.iter_rules():
        methods = {method.lower() for method in rule.methods or ()}
        assert set(made["paths"][rule.rule]) == methods


def test_the_smoke_test_is_answered_with_the_result_of_its_handler() -> None:
    path = "/api/v1/health/smoke-test"

    made = of(smoke_test)

    (content,) = responses(made, path, "get")["200"]["content"].values()
    assert content["schema"] == {"$ref": "#/components/schemas/result.smoke_test"}
    validator(made, "result.smoke_test").validate(
        {"status": "ok", "message": "Smoke test successful. Log generated."}
    )
    (content,) = responses(of(takes_text), path, "get")["200"]["content"].values()
    assert content["schema"] == {"type": "object"}


def test_the_examples_are_the_forms_and_carry_the_payload_of_the_smoke_test() -> None:
    payload = describe(smoke_test).examples[0]

    (content,) = of(takes_text, smoke_test)["paths"]["/"]["post"]["requestBody"]["content"].values()

    for name, example in content["examples"].items():
        headers = CLOUDEVENT if name == "cloudevent" else {}
        assert json.loads(decode(push_of(example["value"], headers)).data) == payload


@pytest.mark.parametrize("body", [None, 1, "text", [], {}, {"message": 1}])
def test_no_body_is_against_the_document(body: object) -> None:
    made = of(smoke_test)
    (content,) = made["paths"]["/"]["post"]["requestBody"]["content"].values()

    Draft202012Validator({**content["schema"], "components": made["components"]}).validate(body)


@pytest.mark.parametrize("feature", of_every_kind(), ids=lambda one: str(one.name))
def test_the_data_of_a_message_is_the_payload_of_one_of_the_features(feature: Feature[Any]) -> None:
    one: Described = describe(feature)
    known = validator(of(feature, smoke_test), "Payload")

    for example in one.examples:
        known.validate(example)
    assert not known.is_valid({**one.examples[0], "feature": "other"})
    assert not known.is_valid({**one.examples[0], "more": 1})


texts = st.sampled_from(["", "a", "é\u202e", "e30=", "e30", "2026-01-31T12:00:00Z", "yesterday"])
scalars = st.one_of(texts, st.none(), st.sampled_from([0, 3, -1, 2.5, True, 2**31]))
values = st.one_of(scalars, st.dictionaries(texts, scalars, max_size=2))


def objects(*names: str, **others: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries({}, optional={**dict.fromkeys(names, values), **others})


messages = objects("data", "attributes", "messageId", "publishTime", "orderingKey", "more")
pushes = objects("subscription", "deliveryAttempt", message=messages)
events = st.fixed_dictionaries(
    {
        "specversion": st.sampled_from(["1.0", "0.3"]),
        "id": values,
        "source": values,
        "type": st.sampled_from(["a", "", "shop.order.placed"]),
    },
    optional=dict.fromkeys(["time", "data", "data_base64", "more"], values),
)


@settings(max_examples=300)
@given(pushes)
def test_what_fits_the_schema_of_a_push_is_read(body: Any) -> None:
    if not validator(DOCUMENT, "WrappedPush").is_valid(body):
        return

    decode(push_of(body))  # raises BadEnvelope for what it does not read


@settings(max_examples=300)
@given(events, st.booleans())
def test_what_fits_the_schema_of_an_event_is_read(event: Any, wrapped: bool) -> None:
    if not validator(DOCUMENT, "CloudEvent").is_valid(event):
        return
    if wrapped:
        data = {"message": {"data": base64.b64encode(b"{}").decode()}}
        event = {**event, "type": PUBSUB_EVENT, "data": data, "data_base64": None}

    decode(push_of(event, CLOUDEVENT))


DOCUMENT = of(smoke_test)
