"""Cloud Run's Admin API, version 2, over REST: what is there, and its IAM policy.

Sources: projects.locations.services, projects.locations.services.revisions.
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, request
from werkzeug.exceptions import HTTPException

from worker.local.errors import ApiError, Code
from worker.local.run.place import Place
from worker.local.run.policy import ServicePolicy
from worker.local.run.resources import revision_json, service_json
from worker.local.run.revisions import Revisions

_SERVICES = "/v2/projects/<project>/locations/<location>/services"
_LARGEST_BODY = 1_000_000  # bytes

Json = dict[str, Any]


def blueprint(
    place: Place, revisions: Revisions, policy: ServicePolicy, audiences: Sequence[str]
) -> Blueprint:
    """The routes. `audiences` are those that its callers' tokens may have."""
    routes = Blueprint("run", __name__)
    view = _View(place, revisions, audiences)
    routes.register_error_handler(ApiError, lambda error: (error.body(), error.code.status))

    @routes.get(_SERVICES)
    def list_services(project: str, location: str) -> Json:
        return view.services(f"projects/{project}/locations/{location}")

    @routes.get(f"{_SERVICES}/<service>")
    def get_service(project: str, location: str, service: str) -> Json:
        name, _, call = service.partition(":")
        found = view.service(f"projects/{project}/locations/{location}/services/{name}")
        if call == "getIamPolicy":
            return policy.get()
        if call:
            raise _no_call("GET", call)
        return found

    @routes.post(f"{_SERVICES}/<service>")
    def call_service(project: str, location: str, service: str) -> Json:
        name, _, call = service.partition(":")
        view.service(f"projects/{project}/locations/{location}/services/{name}")
        if call == "setIamPolicy":
            return policy.set(_body().get("policy"))
        if call == "testIamPermissions":
            return {"permissions": _body().get("permissions", [])}
        raise _no_call("POST", call)

    _route_revisions(routes, view)
    return routes


def _route_revisions(routes: Blueprint, view: "_View") -> None:
    @routes.get(f"{_SERVICES}/<service>/revisions")
    def list_revisions(project: str, location: str, service: str) -> Json:
        parent = f"projects/{project}/locations/{location}/services/{service}"
        return {"revisions": view.revisions(parent)}

    @routes.get(f"{_SERVICES}/<service>/revisions/<revision>")
    def get_revision(project: str, location: str, service: str, revision: str) -> Json:
        parent = f"projects/{project}/locations/{location}/services/{service}"
        name = f"{parent}/revisions/{revision}"
        found = [one for one in view.revisions(parent) if one["name"] == name]
        if not found:
            raise _not_found(name)
        return found[0]


class _View:
    """The resources by their full names. Raises ApiError for those that are not there."""

    def __init__(self, place: Place, revisions: Revisions, audiences: Sequence[str]) -> None:
        self._place = place
        self._revisions = revisions
        self._audiences = audiences

    def services(self, parent: str) -> Json:
        anywhere = f"projects/{self._place.project}/locations/-"
        there = parent in (self._place.parent, anywhere) and self._revisions.all()
        return {"services": [self.service(self._place.name)] if there else []}

    def service(self, name: str) -> Json:
        found = self._revisions.all()
        if name != self._place.name or not found:
            raise _not_found(name)
        return service_json(self._place, found, self._revisions.url, self._audiences)

    def revisions(self, service: str) -> list[Json]:
        self.service(service)
        return [revision_json(self._place, one) for one in self._revisions.all()]


def _body() -> Json:
    request.max_content_length = _LARGEST_BODY
    try:
        found = request.get_json(force=True)
    except (HTTPException, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise ApiError(Code.INVALID_ARGUMENT, "Invalid JSON payload received: want an object")
    return found


def _not_found(name: str) -> ApiError:
    return ApiError(Code.NOT_FOUND, f"Resource '{name[:300]}' was not found")


def _no_call(method: str, call: str) -> ApiError:
    return ApiError(
        Code.UNIMPLEMENTED, f"the laptop cloud has no {method} {call[:100] or 'here'} for a service"
    )
