"""The HTTP edge: a request in, an outcome's status out. Everything that knows Flask is here."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from flask import Flask, Response, request
from pydantic import BaseModel
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from worker.message import Push
from worker.outcome import Refused, Stop, TimedOut, UnknownFeature
from worker.pipeline import Worker, process, run_directly

MAX_BODY = 14 * 1024 * 1024  # bytes: a message of 10 MB in base64, its attributes and the wrapping
_CHUNK = 64 * 1024
_DISCARD = 32 * 1024 * 1024  # bytes read and dropped so that the sender gets to read the answer
_DISCARD_IDLE_SECONDS = 1.0

# Set in the WSGI environment by the server:
RAW_HEADERS = "worker.headers"  # (name, value) pairs, names as they were sent
BODY_READ = "worker.body_read"  # to be called with whole=... when the body has been read


def create_app(worker: Worker) -> Flask:
    """The WSGI application that serves `worker`."""
    app = Flask("feature-worker", static_folder=None)
    app.url_map.merge_slashes = False  # it would redirect, and a redirect loses the push
    app.url_map.strict_slashes = False

    @app.post("/", provide_automatic_options=False)
    def push() -> Response:
        answer = process(worker, read_push(request.environ))
        return _json(answer.body(), answer.status)

    @app.get("/health/live", provide_automatic_options=False)
    def live() -> Response:
        return _json({"status": "live"})

    @app.get("/health/ready", provide_automatic_options=False)
    def ready() -> Response:
        if worker.draining.is_set():
            return _json({"status": "draining"}, 503)
        return _json({"status": "ready", "features": len(worker.features.all())})

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
        response = _json({"error": error.name, "reason": _advice(status)}, status)
        if isinstance(error, MethodNotAllowed) and error.valid_methods:
            response.headers["Allow"] = ", ".join(sorted(error.valid_methods))
        return response

    @app.errorhandler(Exception)
    def failed(error: Exception) -> Response:
        logging.getLogger(__name__).error("a route failed", exc_info=error)
        return _json({"error": "Internal Server Error", "reason": "see the log"}, 500)

    return app


def _smoke_test(worker: Worker, answer: Mapping[str, Any] | None) -> Response:
    push = Push(read_headers(request.environ), b"")
    try:
        result = run_directly(worker, "smoke_test", push)
    except UnknownFeature as missing:
        return _json({"status": "error", "message": missing.reason}, 404)
    except Stop as stop:
        return _json({"status": "error", "message": stop.reason}, stop.status)
    if answer is None:
        answer = result.model_dump(mode="json") if isinstance(result, BaseModel) else {}
    return _json(answer)


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body) + "\n", status, content_type="application/json")


def _advice(status: int) -> str:
    known = {
        404: "no such path; pushes go to POST /",
        405: "this path takes another method; pushes go to POST /",
    }
    return known.get(status, "the request could not be read")


def read_push(environ: Mapping[str, Any]) -> Push:
    """Read one request. A body that cannot be read whole becomes the push's `problem`."""
    headers = read_headers(environ)
    try:
        push = Push(headers, read_body(environ))
    except Stop as stop:
        push = Push(headers, b"", stop)
    if BODY_READ in environ:
        environ[BODY_READ](whole=push.problem is None)
    return push


def read_headers(environ: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """(lower-case name, value) pairs, as sent where the server kept them, else as WSGI has them."""
    raw = environ.get(RAW_HEADERS)
    if raw is None:
        raw = [
            (key.removeprefix("HTTP_").replace("_", "-"), value)
            for key, value in environ.items()
            if key.startswith("HTTP_") or key in ("CONTENT_TYPE", "CONTENT_LENGTH")
        ]
    return tuple((name.lower(), _utf8(value)) for name, value in raw)


def _utf8(value: str) -> str:
    """WSGI hands bytes over as latin-1; Pub/Sub sends attributes as UTF-8."""
    if value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value


def read_body(environ: Mapping[str, Any]) -> bytes:
    """The body, whole. Raises Refused (413) over the limit, TimedOut when it does not arrive."""
    declared = int(environ.get("CONTENT_LENGTH") or 0)
    if declared > MAX_BODY:
        _discard(environ, declared)
        raise _too_large()
    chunks = []
    size = 0
    while chunk := _read(environ):
        chunks.append(chunk)
        size += len(chunk)
        if size > MAX_BODY:
            _discard(environ, _DISCARD - size)
            raise _too_large()
    if size < declared:
        raise TimedOut("the body did not arrive whole")
    return b"".join(chunks)


def _too_large() -> Refused:
    return Refused(f"the body is over {MAX_BODY} bytes, more than any Pub/Sub message", 413)


def _read(environ: Mapping[str, Any]) -> bytes:
    """One chunk of the body, b"" at its end. The server cuts the connection of a slow sender."""
    try:
        chunk: bytes = environ["wsgi.input"].read(_CHUNK)
    except (OSError, EOFError):
        raise TimedOut("the connection was lost while the body was read") from None
    return chunk


def _discard(environ: Mapping[str, Any], size: int) -> None:
    """Drop what the sender is still sending, so that it reads the answer instead of a reset."""
    socket = environ.get("gunicorn.socket")
    if size > _DISCARD or socket is None:
        return
    socket.settimeout(_DISCARD_IDLE_SECONDS)
    try:
        while size > 0 and (chunk := _read(environ)):
            size -= len(chunk)
    except Stop:
        return  # it sends no more
    finally:
        socket.settimeout(None)
