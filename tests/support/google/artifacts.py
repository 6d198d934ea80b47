"""Artifact Registry: repositories."""

from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import PROJECT, State, now, patched, specified

_ALL = "/v1/projects/{project}/locations/{region}/repositories"
_ONE = f"{_ALL}/{{repository}}"


def _collection(request: Request) -> str:
    return f"projects/{PROJECT}/locations/{request.names['region']}"


def _name(request: Request) -> str:
    return f"{_collection(request)}/repositories/{request.names['repository']}"


def create(state: State, request: Request) -> Json:
    repository = request.query.get("repositoryId", "")
    if not repository or "format" not in request.json:
        raise Refused(400, "repositoryId and format are needed")
    name = f"{_collection(request)}/repositories/{repository}"
    made = {
        "mode": "STANDARD_REPOSITORY",
        "createTime": now(),
        **specified(request.json),
        "name": name,
    }
    state.add("artifactregistry", name, made)
    return state.operation("artifactregistry", f"{_collection(request)}/", made)


def get(state: State, request: Request) -> Json:
    return state.get("artifactregistry", _name(request))


def list_all(state: State, request: Request) -> Json:
    found = state.under("artifactregistry", f"{_collection(request)}/repositories")
    return {"repositories": found}


def patch(state: State, request: Request) -> Json:
    name, mask = _name(request), request.query.get("updateMask", "")
    changed = patched(state.get("artifactregistry", name), request.json, mask)
    state.resources["artifactregistry", name] = {**changed, "name": name}
    return state.resources["artifactregistry", name]


def delete(state: State, request: Request) -> Json:
    state.remove("artifactregistry", _name(request))
    return state.operation("artifactregistry", f"{_collection(request)}/", {})


ROUTES = (
    route("artifactregistry", "POST", _ALL, create),
    route("artifactregistry", "GET", _ALL, list_all),
    route("artifactregistry", "GET", _ONE, get),
    route("artifactregistry", "PATCH", _ONE, patch),
    route("artifactregistry", "DELETE", _ONE, delete),
)
