"""IAM and IAM Credentials: service accounts, and the tokens made for them."""

import re

from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import PROJECT, State, patched

_ID = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")


def _name(email: str) -> str:
    return f"projects/{PROJECT}/serviceAccounts/{email}"


def plant_account(state: State, email: str, given: Json | None = None) -> Json:
    """The account of that address, made if it is not there."""
    made = {
        **(given or {}),
        "name": _name(email), "projectId": PROJECT, "uniqueId": f"1{state.number():020d}",
        "email": email, "oauth2ClientId": f"1{state.number():020d}", "etag": "MDEwMjE5MjA=",
    }  # fmt: skip
    return state.resources.setdefault(("iam", _name(email)), made)


def create(state: State, request: Request) -> Json:
    account = request.json.get("accountId", "")
    if not _ID.fullmatch(account):
        raise Refused(400, "The account ID must be 6 to 30 of a-z, 0-9 and -.")
    email = f"{account}@{PROJECT}.iam.gserviceaccount.com"
    if ("iam", _name(email)) in state.resources:
        message = f"Service account {account} already exists within project projects/{PROJECT}."
        raise Refused(409, message)
    return plant_account(state, email, request.json.get("serviceAccount"))


def get(state: State, request: Request) -> Json:
    return state.get("iam", _name(request.names["email"]))


def list_all(state: State, _request: Request) -> Json:
    return {"accounts": state.under("iam", f"projects/{PROJECT}/serviceAccounts")}


def patch(state: State, request: Request) -> Json:
    name = _name(request.names["email"])
    new, mask = request.json.get("serviceAccount", {}), request.json.get("updateMask", "")
    state.resources["iam", name] = patched(state.get("iam", name), new, mask)
    return state.resources["iam", name]


def delete(state: State, request: Request) -> Json:
    state.remove("iam", _name(request.names["email"]))
    return {}


def id_token(state: State, request: Request) -> Json:
    """Source: iamcredentials v1 projects.serviceAccounts.generateIdToken."""
    if not request.json.get("audience"):
        raise Refused(400, "The audience is missing.")
    return {"token": state.id_token}


ROUTES = (
    route("iam", "POST", "/v1/projects/{project}/serviceAccounts", create),
    route("iam", "GET", "/v1/projects/{project}/serviceAccounts", list_all),
    route("iam", "GET", "/v1/projects/{project}/serviceAccounts/{email}", get),
    route("iam", "PATCH", "/v1/projects/{project}/serviceAccounts/{email}", patch),
    route("iam", "DELETE", "/v1/projects/{project}/serviceAccounts/{email}", delete),
    route(
        "iamcredentials", "POST", "/v1/projects/{project}/serviceAccounts/{email}:generateIdToken",
        id_token,
    ),
)  # fmt: skip
