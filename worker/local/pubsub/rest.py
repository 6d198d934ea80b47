"""Pub/Sub's REST API, version 1: JSON in, a call, JSON out.

Source: the public REST reference, and the calls that gcloud makes.
"""

from typing import Any

from flask import Blueprint, Response, jsonify, request
from google.protobuf import json_format
from werkzeug.exceptions import HTTPException

from worker.local.errors import ApiError, Code
from worker.local.pubsub.routes import find
from worker.local.pubsub.service import PubSub
from worker.local.pubsub.transcoding import read_request

_LARGEST_BODY = 20_000_000  # bytes: 10 MB of data in base64, and attributes
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def blueprint(pubsub: PubSub) -> Blueprint:
    """The routes below /v1/."""
    routes = Blueprint("pubsub", __name__)

    @routes.route("/v1/", defaults={"path": ""}, methods=_METHODS)
    @routes.route("/v1/<path:path>", methods=_METHODS)
    def call(path: str) -> Response:
        try:
            answer = _answer(pubsub, path)
        except ApiError as error:
            return _refusal(error)
        return Response(json_format.MessageToJson(answer), mimetype="application/json")

    return routes


def _answer(pubsub: PubSub, path: str) -> Any:
    found = find(request.method, path)
    if found is None:
        raise ApiError(Code.NOT_FOUND, f"There is no {request.method} /v1/{path[:300]} in Pub/Sub.")
    route, resource = found
    message = read_request(route, resource, list(request.args.items(multi=True)), _body())
    return getattr(pubsub, route.call)(message)


def _body() -> bytes:
    request.max_content_length = _LARGEST_BODY
    try:
        return request.get_data(cache=False)
    except HTTPException:
        raise ApiError(
            Code.INVALID_ARGUMENT,
            f"Request payload size exceeds the limit: {_LARGEST_BODY} bytes.",
        ) from None


def _refusal(error: ApiError) -> Response:
    response = jsonify(error.body())
    response.status_code = error.code.status
    return response
