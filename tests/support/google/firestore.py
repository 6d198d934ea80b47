"""Firestore's administration: databases, and the TTL policy of a field."""

from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import PROJECT, State, etag_of, now, patched, specified

_ALL = "/v1/projects/{project}/databases"
_ONE = f"{_ALL}/{{database}}"
_FIELDS = f"{_ONE}/collectionGroups/{{group}}/fields"


def _name(request: Request) -> str:
    return f"projects/{PROJECT}/databases/{request.names['database']}"


def create(state: State, request: Request) -> Json:
    """Source: firestore v1 projects.databases.create."""
    database = request.query.get("databaseId", "")
    if not database or not {"locationId", "type"} <= request.json.keys():
        raise Refused(400, "databaseId, locationId and type are needed")
    name = f"projects/{PROJECT}/databases/{database}"
    if ("firestore", name) in state.resources:
        message = f"Database already exists. Please use another database_id (database={database})."
        raise Refused(409, message)
    made = {**specified(request.json), "name": name, "createTime": now(), "etag": etag_of(name)}
    state.add("firestore", name, made)
    return state.operation("firestore", f"{name}/", made)


def get(state: State, request: Request) -> Json:
    return state.get("firestore", _name(request))


def list_all(state: State, _request: Request) -> Json:
    return {"databases": state.under("firestore", f"projects/{PROJECT}/databases")}


def delete(state: State, request: Request) -> Json:
    gone = state.remove("firestore", _name(request))
    return state.operation("firestore", f"{_name(request)}/", gone)


def get_field(state: State, request: Request) -> Json:
    """Every field is there: one without settings of its own has those of its database."""
    state.get("firestore", _name(request))
    inherited = {"name": request.parent, "indexConfig": {"usesAncestorConfig": True}}
    return state.resources.get(("firestore", request.parent), inherited)


def list_fields(state: State, request: Request) -> Json:
    """Those with settings of their own, which is all that Firestore lists."""
    state.get("firestore", _name(request))
    start = f"{_name(request)}/collectionGroups/"
    group = request.names["group"]
    return {
        "fields": [
            field
            for (api, name), field in state.resources.items()
            if api == "firestore"
            and name.startswith(start)
            and group in ("-", "__default__", name.split("/")[5])
        ]
    }


def patch_field(state: State, request: Request) -> Json:
    """A TTL policy is being made for a while, and then active. Source: Field.TtlConfig."""
    kept = patched(get_field(state, request), request.json, request.query.get("updateMask", ""))
    if "ttlConfig" in kept:
        kept["ttlConfig"] = {"state": "CREATING" if state.slow_operations else "ACTIVE"}
    kept["name"] = request.parent
    state.resources["firestore", request.parent] = kept
    return state.operation("firestore", f"{_name(request)}/", kept)


ROUTES = (
    route("firestore", "POST", _ALL, create),
    route("firestore", "GET", _ALL, list_all),
    route("firestore", "GET", _ONE, get),
    route("firestore", "DELETE", _ONE, delete),
    route("firestore", "GET", _FIELDS, list_fields),
    route("firestore", "GET", f"{_FIELDS}/{{field}}", get_field),
    route("firestore", "PATCH", f"{_FIELDS}/{{field}}", patch_field),
)
