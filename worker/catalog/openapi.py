"""OpenAPI 3.1: the HTTP edge as it is, for whoever pushes to it or watches it."""

from collections.abc import Mapping, Sequence
from typing import Any

from worker.catalog.answers import (
    answer_schema,
    error_schema,
    fields,
    of_pushes,
    response,
    shared,
    unreadable,
)
from worker.catalog.described import Described
from worker.catalog.forms import headers, request_body, schemas
from worker.catalog.subschemas import moved

Json = dict[str, Any]

_SMOKE_TEST = "smoke_test"
_ABOUT = (
    "What the feature worker answers over HTTP. Pub/Sub pushes to `POST /`: 200 acks the message, "
    "anything else nacks it and Pub/Sub delivers it again. No path redirects; paths that are not "
    "here are answered 404, with an Error."
)
_TOKEN = (
    "The token that Pub/Sub signs for the push account. PUSH_AUTH says who asks for it: the worker "  # noqa: S105 - a text about tokens
    "(oidc), Cloud Run before it (cloud-run-iam), or nobody (none)."
)
_HEALTH = fields({"status": {"enum": ["live", "ready", "draining"]}}, title="Health")
_HEALTH["properties"]["features"] = {
    "type": "integer",
    "description": "How many have a handler. Of /health/ready alone, while it takes pushes.",
}
_FAILED = fields({"status": {"const": "error"}, "message": {"type": "string"}})
_OPERATIONAL = fields({"status": {"const": "ok"}, "details": {"type": "string"}})


def document(described: Sequence[Described]) -> Json:
    """The OpenAPI document."""
    features = {one.name: one for one in sorted(described, key=lambda one: one.name)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Feature worker", "version": "1.0.0", "description": _ABOUT},
        "servers": [{"url": "/", "description": "The address of the service."}],
        "tags": [
            {"name": "pushes", "description": "What Pub/Sub and Eventarc call."},
            {"name": "health", "description": "What probes and people call."},
        ],
        "paths": _paths(features),
        "components": {
            "schemas": {
                "Answer": answer_schema(),
                "Error": error_schema(),
                "Health": _HEALTH,
                "SmokeTestFailed": _FAILED,
                **schemas(),
                "Payload": _any_payload(features),
                **_of_features(features),
            },
            "responses": shared(),
            "securitySchemes": {
                "pushToken": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": _TOKEN,
                }
            },
        },
    }


def _paths(features: Mapping[str, Described]) -> Json:
    live = {"200": response("It answers.", _ref("Health"))}
    ready = {
        "200": response("It takes pushes.", _ref("Health")),
        "503": response("It is shutting down.", _ref("Health")),
    }
    result = features[_SMOKE_TEST].result if _SMOKE_TEST in features else None
    proof = _ref(f"result.{_SMOKE_TEST}") if result else {"type": "object"}
    return {
        "/": {"post": _push(features)},
        "/health/live": _reads("live", "Whether the process answers", live),
        "/health/ready": _reads("ready", "Whether it takes pushes", ready),
        "/api/v1/health/smoke-test": _reads(
            "smokeTest", "Run the smoke test: its result", _smoke_test(proof)
        ),
        "/smoke-test/": _reads(
            "smokeTestPage", "Run the smoke test: whether it passed", _smoke_test(_OPERATIONAL)
        ),
    }


def _push(features: Mapping[str, Described]) -> Json:
    # Whoever tries the examples runs that feature alone, and it changes nothing.
    smoke_test = features.get(_SMOKE_TEST)
    return {
        "operationId": "push",
        "tags": ["pushes"],
        "summary": "Handle a message",
        "description": "Any body is taken, in any of the delivery forms. What is no feature "
        "payload is quarantined with the reason, and acked: see `rejected`.",
        "parameters": headers(),
        "requestBody": request_body(
            smoke_test.examples[0] if smoke_test else {"feature": _SMOKE_TEST}
        ),
        "responses": of_pushes(),
        "security": [{"pushToken": []}, {}],
    }


def _smoke_test(proof: Json) -> Json:
    failed = _ref("SmokeTestFailed")
    return {
        "200": response("It passed, and has written its log entry.", proof),
        "404": response("There is no handler of the feature smoke_test.", failed),
        "500": response(
            "It can never pass, or it crashed: see the log.", {"anyOf": [failed, _ref("Error")]}
        ),
        "503": response("It asks for another try, or the instance shuts down.", failed),
        "504": response("It did not end in time.", failed),
    }


def _reads(name: str, summary: str, responses: Json) -> Json:
    """A path that takes GET, and HEAD, whose answers have no body."""
    text = {"tags": ["health"], "summary": summary, "security": [{}]}
    bodiless = {k: response(one["description"], None) for k, one in responses.items()}
    return {
        "get": {"operationId": name, **text, "responses": responses | unreadable()},
        "head": {"operationId": f"{name}Head", **text, "responses": bodiless | unreadable()},
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _any_payload(features: Mapping[str, Described]) -> Json:
    """What the data of a message should be: the payload of one of the features."""
    refs = {name: _ref(f"payload.{name}") for name in features}
    if not refs:
        return {"title": "Payload", "type": "object"}
    mapping = {name: ref["$ref"] for name, ref in refs.items()}
    return {
        "title": "Payload",
        "oneOf": list(refs.values()),
        "discriminator": {"propertyName": "feature", "mapping": mapping},
    }


def _of_features(features: Mapping[str, Described]) -> Json:
    found: Json = {}
    for name, one in features.items():
        kinds = {"payload": {**one.payload, "examples": list(one.examples)}, "result": one.result}
        for kind, schema in kinds.items():
            if schema is not None:
                key = f"{kind}.{name}"
                found[key] = moved(schema, f"#/components/schemas/{key}")
    return found
