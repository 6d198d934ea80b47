"""IAM policies of every API's resources: read, written if nobody else did, permissions granted."""

import re

from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import NUMBER, PROJECT, Key, State, etag_of

_OURS = re.compile(
    rf"serviceAccount:([^@]+@(?:{PROJECT}\.iam|gcp-sa-[a-z]+\.iam)\.gserviceaccount\.com)"
)


def _key(state: State, request: Request) -> Key:
    name = resource_name(request.parent)
    api = request.api
    if name != f"projects/{PROJECT}" and not state.exists(api, name):
        raise Refused(404, f"Resource not found (resource={name}).")
    return api, name


def resource_name(name: str) -> str:
    """With the project's id, where the number or a dash stand for it."""
    return re.sub(rf"^projects/(?:-|_|{NUMBER})(?=/|$)", f"projects/{PROJECT}", name)


def shown(state: State, key: Key) -> Json:
    """The policy of a resource, with its etag."""
    bindings = state.policies.get(key, {}).get("bindings", [])
    conditional = any("condition" in binding for binding in bindings)
    policy: Json = {"version": 3 if conditional else 1}
    if bindings:
        policy["bindings"] = bindings
    return {**policy, "etag": etag_of(policy)}


def get_policy(state: State, request: Request) -> Json:
    """Source: google.iam.v1.IAMPolicy.GetIamPolicy; an empty policy has an etag only."""
    return shown(state, _key(state, request))


def set_policy(state: State, request: Request) -> Json:
    """Source: google.iam.v1.IAMPolicy.SetIamPolicy. Raises Refused for an etag that is old."""
    return keep(state, _key(state, request), request.json.get("policy", {}))


def keep(state: State, key: Key, policy: Json) -> Json:
    """Keep the policy of a resource. Raises Refused for an etag that is old."""
    etag = policy.get("etag", "")
    if etag and etag != shown(state, key)["etag"]:
        message = (
            "There were concurrent policy changes. Please retry the whole read-modify-write "
            "with exponential backoff."
        )
        raise Refused(409, message, "ABORTED")
    _check_members(state, policy)
    state.policies[key] = {"bindings": policy.get("bindings", [])}
    return shown(state, key)


def _check_members(state: State, policy: Json) -> None:
    """An account that is not there can be given nothing."""
    for binding in policy.get("bindings", []):
        for member in binding.get("members", []):
            found = _OURS.fullmatch(member)
            name = f"projects/{PROJECT}/serviceAccounts/{found[1]}" if found else ""
            if found and ("iam", name) not in state.resources:
                raise Refused(400, f"Service account {found[1]} does not exist.")


def test_permissions(state: State, request: Request) -> Json:
    """All of them are granted: nobody's leave is checked."""
    return {"permissions": request.json.get("permissions", [])}


ROUTES = (
    route("*", "GET", "/{version}/{name=**}:getIamPolicy", get_policy),
    route("*", "POST", "/{version}/{name=**}:getIamPolicy", get_policy),
    route("*", "POST", "/{version}/{name=**}:setIamPolicy", set_policy),
    route("*", "POST", "/{version}/{name=**}:testIamPermissions", test_permissions),
)
