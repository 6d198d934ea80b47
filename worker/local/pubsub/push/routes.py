"""What push delivery serves: the keys that its tokens are verified with, and its switches.

The first two are where Google has them, below https://www.googleapis.com.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from worker.local.clock import Clock
from worker.local.errors import ApiError, Code
from worker.local.pubsub.push.faults import BadFault, Faults, changed
from worker.local.pubsub.push.tokens import Tokens

_MOST_SECONDS = 10 * 365 * 86400.0  # that the clock is moved at once
_KEYS_SECONDS = 3600  # that the keys may be cached


def blueprint(tokens: Tokens, faults: Faults, clock: Clock) -> Blueprint:
    """/oauth2/v1/certs, /oauth2/v3/certs, /local/v1/faults and /local/v1/clock:advance."""
    routes = Blueprint("push", __name__)

    @routes.get("/oauth2/v1/certs")
    def certificates() -> Response:
        return _cached(dict(tokens.certificates()))

    @routes.get("/oauth2/v3/certs")
    def keys() -> Response:
        return _cached(dict(tokens.jwks()))

    @routes.get("/local/v1/faults")
    def show_faults() -> Response:
        return jsonify(faults.get())

    @routes.patch("/local/v1/faults")
    def change_faults() -> Response:
        try:
            faults.set(changed(faults.get(), _object()))
        except BadFault as error:
            raise ApiError(Code.INVALID_ARGUMENT, str(error)) from None
        return jsonify(faults.get())

    @routes.post("/local/v1/clock:advance")
    def advance() -> Response:
        clock.advance(_seconds(_object()))
        return jsonify(now=datetime.fromtimestamp(clock.now(), UTC).isoformat())

    @routes.errorhandler(ApiError)
    def refused(error: ApiError) -> tuple[Response, int]:
        return jsonify(error.body()), error.code.status

    return routes


def _cached(value: dict[str, Any]) -> Response:
    answer = jsonify(value)
    answer.cache_control.public = True
    answer.cache_control.max_age = _KEYS_SECONDS
    return answer


def _object() -> dict[str, Any]:
    """The JSON object in the request. Raises ApiError."""
    try:
        found = request.get_json(force=True)
    except (BadRequest, UnsupportedMediaType, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ApiError(Code.INVALID_ARGUMENT, "the body is not a JSON object")
    return found


def _seconds(found: dict[str, Any]) -> float:
    seconds: Any = found.get("seconds")
    is_number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    if found.keys() != {"seconds"} or not is_number:
        raise ApiError(Code.INVALID_ARGUMENT, 'the body wants {"seconds": N}')
    if not 0 <= seconds <= _MOST_SECONDS:
        raise ApiError(Code.INVALID_ARGUMENT, f"seconds wants 0 to {_MOST_SECONDS:.0f}")
    return float(seconds)
