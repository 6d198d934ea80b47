"""Cloud Run: version 1, which gcloud speaks, and the reading half of version 2."""

import copy
import re

from tests.support.google.knative import Place, apply
from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.run_view import revision_of, service_of
from tests.support.google.state import PROJECT, State

_KNATIVE = "/apis/serving.knative.dev/v1/namespaces/{project}"
_SELECTOR = re.compile(r"serving\.knative\.dev/service\s*=\s*(\S+)")


def _place(request: Request) -> Place:
    return Place(request.names.get("region") or request.region, request.names.get("service", ""))


def create(state: State, request: Request) -> Json:
    place = Place(request.region, request.json["metadata"]["name"])
    if ("run", place.name) in state.resources:
        raise Refused(409, f"Resource '{place.service}' already exists.")
    return _apply(state, place, request)


def replace(state: State, request: Request) -> Json:
    state.get("run", _place(request).name)
    return _apply(state, _place(request), request)


def _apply(state: State, place: Place, request: Request) -> Json:
    """Whole or, where it is refused, not at all; of a dry run nothing stays."""
    kept, fails = copy.deepcopy(state.resources), state.revision_fails
    dry = request.query.get("dryRun") == "all"
    try:
        made = apply(state, place, request.json)
    except Refused:
        dry = True
        raise
    finally:
        if dry:
            state.resources.clear()
            state.resources.update(kept)
            state.revision_fails = fails
    return made


def get(state: State, request: Request) -> Json:
    return state.get("run", _place(request).name)


def list_services(state: State, request: Request) -> Json:
    items = state.under("run", _place(request).collection)
    return _list("ServiceList", items)


def _list(kind: str, items: list[Json]) -> Json:
    return {"apiVersion": "serving.knative.dev/v1", "kind": kind, "metadata": {}, "items": items}


def delete(state: State, request: Request) -> Json:
    """With its revisions."""
    place = _place(request)
    state.remove("run", place.name)
    for revision in state.under("run", f"{place.name}/revisions"):
        state.remove("run", place.revision(revision["metadata"]["name"]))
    return {"status": "Success"}


def _revisions(state: State, region: str) -> list[Json]:
    start = f"{Place(region, '').collection}/"
    return [
        resource
        for (api, name), resource in state.resources.items()
        if api == "run" and name.startswith(start) and "/revisions/" in name
    ]


def get_revision(state: State, request: Request) -> Json:
    for revision in _revisions(state, request.region):
        if revision["metadata"]["name"] == request.names["revision"]:
            return revision
    raise Refused(404, f"Revision '{request.names['revision']}' was not found.")


def delete_revision(state: State, request: Request) -> Json:
    """Not while it is the latest, or gets traffic."""
    revision = get_revision(state, request)
    place = Place(request.region, revision["metadata"]["labels"]["serving.knative.dev/service"])
    name, status = revision["metadata"]["name"], state.get("run", place.name)["status"]
    used = [target["revisionName"] for target in status["traffic"]]
    if name in [*used, status["latestCreatedRevisionName"]]:
        raise Refused(400, f"Revision '{name}' is in use.", "FAILED_PRECONDITION")
    state.remove("run", place.revision(name))
    return {"status": "Success"}


def list_revisions(state: State, request: Request) -> Json:
    """Newest first."""
    found = _SELECTOR.search(request.query.get("labelSelector", ""))
    items = [
        one
        for one in reversed(_revisions(state, request.region))
        if found is None or one["metadata"]["labels"]["serving.knative.dev/service"] == found[1]
    ]
    return _list("RevisionList", items)


def v2_service(state: State, request: Request) -> Json:
    place = _place(request)
    return service_of(place, state.get("run", place.name))


def v2_services(state: State, request: Request) -> Json:
    region = request.names["region"]
    found = state.under("run", Place(region, "").collection)
    return {"services": [service_of(Place(region, one["metadata"]["name"]), one) for one in found]}


def v2_revision(state: State, request: Request) -> Json:
    place = _place(request)
    return revision_of(place, state.get("run", place.revision(request.names["revision"])))


def v2_revisions(state: State, request: Request) -> Json:
    """Newest first."""
    place = _place(request)
    found = [
        one
        for one in reversed(_revisions(state, place.region))
        if one["metadata"]["labels"]["serving.knative.dev/service"] == place.service
    ]
    return {"revisions": [revision_of(place, one) for one in found]}


def locations(_state: State, _request: Request) -> Json:
    """Of any API that has them."""
    names = ("europe-west1", "us-central1")
    return {
        "locations": [
            {"locationId": one, "name": f"projects/{PROJECT}/locations/{one}"} for one in names
        ]
    }


_V2 = "/v2/projects/{project}/locations/{region}/services"

ROUTES = (
    route("run", "POST", f"{_KNATIVE}/services", create),
    route("run", "GET", f"{_KNATIVE}/services", list_services),
    route("run", "GET", f"{_KNATIVE}/services/{{service}}", get),
    route("run", "PUT", f"{_KNATIVE}/services/{{service}}", replace),
    route("run", "DELETE", f"{_KNATIVE}/services/{{service}}", delete),
    route("run", "GET", f"{_KNATIVE}/revisions", list_revisions),
    route("run", "GET", f"{_KNATIVE}/revisions/{{revision}}", get_revision),
    route("run", "DELETE", f"{_KNATIVE}/revisions/{{revision}}", delete_revision),
    route("run", "GET", _V2, v2_services),
    route("run", "GET", f"{_V2}/{{service}}", v2_service),
    route("run", "GET", f"{_V2}/{{service}}/revisions", v2_revisions),
    route("run", "GET", f"{_V2}/{{service}}/revisions/{{revision}}", v2_revision),
    route("*", "GET", "/{version}/projects/{project}/locations", locations),
)
