"""Only this machine's people and programs: what another site makes a browser send is refused.

A name of another that resolves to 127.0.0.1 (DNS rebinding) shows in Host, a form of another site
(CSRF) in Origin.
"""

from urllib.parse import urlsplit

from flask import Flask, Response, jsonify, request

from worker.local.errors import ApiError, Code

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


def guard(app: Flask) -> None:
    """Refuse such requests to every route of the application, with 403 and the reason."""

    @app.before_request
    def look() -> Response | None:
        reason = _objection(
            request.headers.get("Host", ""), request.headers.get("Origin"), request.method
        )
        if not reason:
            return None
        response = jsonify(ApiError(Code.PERMISSION_DENIED, reason).body())
        response.status_code = Code.PERMISSION_DENIED.status
        return response


def _objection(host: str, origin: str | None, method: str) -> str:
    if _name(f"//{host}") not in _LOOPBACK:
        return "Host is not this machine: use http://127.0.0.1 or http://localhost"
    if origin is None or method in _READS:
        return ""
    same = origin.partition("://")[2] == host and _name(origin) in _LOOPBACK
    return "" if same else "Origin is another site: only this page and local programs may do that"


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None
