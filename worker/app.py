"""What is served beside pushes and health: the smoke test's routes, and every error. With Flask."""

import json
import logging
import sys
from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes

from flask import Flask, Response, request
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from worker.http1 import Request, path_of
from worker.message import Push
from worker.outcome import Reject, Stop, UnknownFeature
from worker.pipeline import Worker, run_directly
from worker.response import ADVICE
from worker.response import Response as Answer

_HEADERS = "worker.headers"  # in the WSGI environment: (name, value) pairs as they were sent


def create_site(worker: Worker) -> Callable[[Request], Answer]:
    """What answers a request that is neither a push nor about health."""
    app = create_app(worker)

    def respond(request: Request) -> Answer:
        response = Response.from_app(app, environ_of(request), buffered=True)
        headers = {name: value for name, value in response.headers if name != "Content-Length"}
        return Answer(response.status_code, response.get_data(), headers)

    return respond


def create_app(worker: Worker) -> Flask:
    """The WSGI application of these routes."""
    app = Flask("feature-worker", static_folder=None)
    app.url_map.merge_slashes = False  # it would redirect
    app.url_map.strict_slashes = False

    @app.get("/api/v1/health/smoke-test", provide_automatic_options=False)
    def smoke_test_health() -> Response:
        return _smoke_test(worker, None)

    @app.get("/smoke-test/", provide_automatic_options=False)
    def smoke_test() -> Response:
        return _smoke_test(
            worker, {"status": "ok", "details": "PetSage smoke test feature is operational."}
        )

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Response:
        status = error.code or 500
        reason = ADVICE.get(status, "the request could not be read")
        response = _json({"error": error.name, "reason": reason}, status)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        logging.getLogger(__name__).error("a route failed", exc_info=error)
        return _json({"error": "Internal Server Error", "reason": ADVICE[500]}, 500)

    return app


def _smoke_test(worker: Worker, answer: Mapping[str, Any] | None) -> Response:
    try:
        result = run_directly(worker, "smoke_test", Push(request.environ[_HEADERS], b""))
    except UnknownFeature as missing:
        return _json({"status": "error", "message": missing.reason}, 404)
    except Reject as reject:  # its status acks, and no message is there to be acked
        return _json({"status": "error", "message": reject.reason}, 500)
    except Stop as stop:
        return _json({"status": "error", "message": stop.reason}, stop.status)
    if answer is None:
        answer = result.model_dump(mode="json") if isinstance(result, BaseModel) else {}
    return _json(answer)


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body) + "\n", status, content_type="application/json")


def environ_of(request: Request) -> dict[str, Any]:
    """The WSGI environment (PEP 3333) of a request. Headers with a `_` are not in it."""
    environ = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path_of(request.target)).decode("latin-1"),
        "QUERY_STRING": request.target.partition("?")[2].partition("#")[0],
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        _HEADERS: request.headers,
    }
    for name, value in Push(request.headers, b"").public_headers().items():
        if "_" not in name:
            key = name.upper().replace("-", "_")
            known = ("CONTENT_TYPE", "CONTENT_LENGTH")
            environ[key if key in known else f"HTTP_{key}"] = value.encode().decode("latin-1")
    return environ
