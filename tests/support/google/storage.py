"""Cloud Storage: buckets, whether anything is in them, and their IAM policies."""

import re

from tests.support.google import policies
from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import NUMBER, Key, State, etag_of, now

_ALL = "/storage/v1/b"
_ONE = f"{_ALL}/{{bucket}}"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]")


def _key(request: Request) -> Key:
    return "storage", f"b/{request.names['bucket']}"


def _found(state: State, request: Request) -> Json:
    if _key(request) not in state.resources:
        raise Refused(404, "The specified bucket does not exist.")
    return state.resources[_key(request)]


def create(state: State, request: Request) -> Json:
    """Source: Cloud Storage JSON API, Buckets: insert."""
    name = str(request.json.get("name", ""))
    if "project" not in request.query or not _NAME.fullmatch(name):
        raise Refused(400, f"Invalid bucket name: '{name}'")
    if ("storage", f"b/{name}") in state.resources:
        raise Refused(409, "Your previous request to create the named bucket succeeded.")
    made = {
        "kind": "storage#bucket", "id": name, "projectNumber": NUMBER, "metageneration": "1",
        "storageClass": "STANDARD", "timeCreated": now(), "updated": now(), **request.json,
        "location": str(request.json.get("location", "US")).upper(), "etag": etag_of(name),
    }  # fmt: skip
    return state.add("storage", f"b/{name}", made)


def get(state: State, request: Request) -> Json:
    return _found(state, request)


def patch(state: State, request: Request) -> Json:
    """What is given replaces what was there; of mappings, member by member, and null removes."""
    found = _merged(_found(state, request), request.json)
    found["metageneration"] = str(int(found.get("metageneration", "1")) + 1)
    state.resources[_key(request)] = found
    return found


def _merged(old: Json, new: Json) -> Json:
    merged = dict(old)
    for name, value in new.items():
        if value is None:
            merged.pop(name, None)
        else:
            inner = isinstance(value, dict)
            merged[name] = _merged(merged.get(name) or {}, value) if inner else value
    return merged


def delete(state: State, request: Request) -> None:
    """Answered without content. Raises Refused where anything is in it."""
    _found(state, request)
    if _objects(state, request):
        raise Refused(409, "The bucket you tried to delete is not empty.")
    state.remove(*_key(request))


def list_objects(state: State, request: Request) -> Json:
    _found(state, request)
    items = _objects(state, request)[: int(request.query.get("maxResults", "1000"))]
    return {"kind": "storage#objects", **({"items": items} if items else {})}


def _objects(state: State, request: Request) -> list[Json]:
    api, name = _key(request)
    return state.under(api, f"{name}/o")


def get_policy(state: State, request: Request) -> Json:
    _found(state, request)
    return {"kind": "storage#policy", **policies.shown(state, _key(request))}


def set_policy(state: State, request: Request) -> Json:
    _found(state, request)
    return policies.keep(state, _key(request), request.json)


ROUTES = (
    route("storage", "POST", _ALL, create),
    route("storage", "GET", _ONE, get),
    route("storage", "PATCH", _ONE, patch),
    route("storage", "DELETE", _ONE, delete),
    route("storage", "GET", f"{_ONE}/o", list_objects),
    route("storage", "GET", f"{_ONE}/iam", get_policy),
    route("storage", "PUT", f"{_ONE}/iam", set_policy),
)
