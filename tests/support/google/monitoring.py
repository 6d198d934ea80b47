"""Cloud Monitoring's configuration: dashboards, alert policies, notification channels."""

import re

from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import PROJECT, State, etag_of, now, patched

_DASHBOARDS = "/v1/projects/{project}/dashboards"
_POLICIES = "/v3/projects/{project}/alertPolicies"
_CHANNELS = "/v3/projects/{project}/notificationChannels"
_LOG_METRIC = re.compile(r'metric\.type\s*=\s*"logging\.googleapis\.com/user/([^"]+)"')


def _collection(kind: str) -> str:
    return f"projects/{PROJECT}/{kind}"


def _new(state: State, kind: str) -> str:
    """A name that the server makes."""
    return f"{_collection(kind)}/{7_000_000_000_000_000_000 + state.number()}"


def create_dashboard(state: State, request: Request) -> Json:
    given = request.json
    if not given.get("displayName"):
        raise Refused(400, "Field displayName is missing.")
    name = given.get("name") or _new(state, "dashboards")
    name = f"{_collection('dashboards')}/{name.rpartition('/')[2]}"
    return state.add("monitoring", name, _dashboard(given, name))


def _dashboard(given: Json, name: str) -> Json:
    kept = {**given, "name": name}
    kept.pop("etag", None)
    return {**kept, "etag": etag_of(kept)}


def patch_dashboard(state: State, request: Request) -> Json:
    """The whole dashboard is replaced; with an etag, only if it is the one that was read."""
    old = state.get("monitoring", request.parent)
    if request.json.get("etag", old["etag"]) != old["etag"]:
        raise Refused(
            409, "The dashboard was changed by somebody else: its etag is old.", "ABORTED"
        )
    state.resources["monitoring", request.parent] = _dashboard(request.json, request.parent)
    return state.resources["monitoring", request.parent]


def create_policy(state: State, request: Request) -> Json:
    _check_policy(state, request.json)
    name = _new(state, "alertPolicies")
    return state.add("monitoring", name, _policy(state, request.json, name))


def _policy(state: State, given: Json, name: str) -> Json:
    """Conditions get names of their own."""
    record = {"mutateTime": now(), "mutatedBy": "somebody@example.com"}
    conditions = [
        {**one, "name": one.get("name") or f"{name}/conditions/{state.number()}"}
        for one in given["conditions"]
    ]
    kept = {"enabled": True, "creationRecord": record, **given, "mutationRecord": record}
    return {**kept, "name": name, "conditions": conditions}


def _check_policy(state: State, given: Json) -> None:
    for field in ("displayName", "combiner", "conditions"):
        if not given.get(field):
            raise Refused(400, f"Field alert_policy.{field} is missing.")
    for channel in given.get("notificationChannels", []):
        if ("monitoring", channel) not in state.resources:
            raise Refused(404, f"Cannot find notification channel {channel}.")
    for metric in _LOG_METRIC.findall(str(given["conditions"])):
        if ("logging", f"projects/{PROJECT}/metrics/{metric}") not in state.resources:
            kind = f"logging.googleapis.com/user/{metric}"
            message = (
                f'Cannot find metric(s) that match type = "{kind}". If a metric was created '
                "recently, it could take up to 10 minutes to become available."
            )
            raise Refused(404, message)


def patch_policy(state: State, request: Request) -> Json:
    old = state.get("monitoring", request.parent)
    changed = patched(old, request.json, request.query.get("updateMask", ""))
    _check_policy(state, changed)
    kept = _policy(state, changed, request.parent)
    state.resources["monitoring", request.parent] = kept
    return kept


def create_channel(state: State, request: Request) -> Json:
    if not request.json.get("type"):
        raise Refused(400, "Field notification_channel.type is missing.")
    name = _new(state, "notificationChannels")
    return state.add("monitoring", name, {"enabled": True, **request.json, "name": name})


def patch_channel(state: State, request: Request) -> Json:
    old = state.get("monitoring", request.parent)
    mask = request.query.get("updateMask", "")
    state.resources["monitoring", request.parent] = patched(old, request.json, mask)
    return state.resources["monitoring", request.parent]


def delete_channel(state: State, request: Request) -> Json:
    """With `force` the policies that name it lose it, else it stays while one does."""
    users = [
        one
        for one in state.under("monitoring", _collection("alertPolicies"))
        if request.parent in one.get("notificationChannels", [])
    ]
    if users and request.query.get("force", "").lower() != "true":
        raise Refused(400, "The notification channel is in use.", "FAILED_PRECONDITION")
    for one in users:
        one["notificationChannels"].remove(request.parent)
    return delete(state, request)


def get(state: State, request: Request) -> Json:
    return state.get("monitoring", request.parent)


def delete(state: State, request: Request) -> Json:
    state.remove("monitoring", request.parent)
    return {}


def list_dashboards(state: State, _request: Request) -> Json:
    return {"dashboards": state.under("monitoring", _collection("dashboards"))}


def list_policies(state: State, _request: Request) -> Json:
    return {"alertPolicies": state.under("monitoring", _collection("alertPolicies"))}


def list_channels(state: State, _request: Request) -> Json:
    return {"notificationChannels": state.under("monitoring", _collection("notificationChannels"))}


ROUTES = (
    route("monitoring", "POST", _DASHBOARDS, create_dashboard),
    route("monitoring", "GET", _DASHBOARDS, list_dashboards),
    route("monitoring", "GET", f"{_DASHBOARDS}/{{id}}", get),
    route("monitoring", "PATCH", f"{_DASHBOARDS}/{{id}}", patch_dashboard),
    route("monitoring", "DELETE", f"{_DASHBOARDS}/{{id}}", delete),
    route("monitoring", "POST", _POLICIES, create_policy),
    route("monitoring", "GET", _POLICIES, list_policies),
    route("monitoring", "GET", f"{_POLICIES}/{{id}}", get),
    route("monitoring", "PATCH", f"{_POLICIES}/{{id}}", patch_policy),
    route("monitoring", "DELETE", f"{_POLICIES}/{{id}}", delete),
    route("monitoring", "POST", _CHANNELS, create_channel),
    route("monitoring", "GET", _CHANNELS, list_channels),
    route("monitoring", "GET", f"{_CHANNELS}/{{id}}", get),
    route("monitoring", "PATCH", f"{_CHANNELS}/{{id}}", patch_channel),
    route("monitoring", "DELETE", f"{_CHANNELS}/{{id}}", delete_channel),
)
