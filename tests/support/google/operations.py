"""Long-running operations of every API, which are looked at until they are done."""

from tests.support.google.request import Json, Request
from tests.support.google.routes import route
from tests.support.google.state import State


def look(state: State, request: Request) -> Json:
    """Source: google.longrunning.Operations.GetOperation."""
    prefix = request.names.get("name")
    start = f"{prefix}/" if prefix else ""
    return state.look(request.api, f"{start}operations/{request.names['id']}")


ROUTES = (
    route("*", "GET", "/{version}/operations/{id}", look),
    route("*", "GET", "/{version}/{name=**}/operations/{id}", look),
)
