"""Cloud Logging's administration: metrics made of logs, and sinks. Entries are another's."""

import re
from typing import Any

from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import PROJECT, State, now, patched

_METRICS = "/v2/projects/{project}/metrics"
_SINKS = "/v2/projects/{project}/sinks"
_OURS = re.compile(r"/v2/projects/[^/]+/(metrics|sinks)(/|$)")
_ID = re.compile(r"[A-Za-z0-9_\-.,+!*',()%/]{1,100}")


def is_ours(path: str) -> bool:
    """Whether the call is about metrics or sinks."""
    return _OURS.match(path) is not None


def _metric(name: str) -> str:
    return f"projects/{PROJECT}/metrics/{name}"


def _sink(name: str) -> str:
    return f"projects/{PROJECT}/sinks/{name}"


def _kept(given: Json, created: Any = None) -> Json:
    """The metric with what the server adds to it. Raises Refused."""
    if not _ID.fullmatch(given.get("name", "")) or not given.get("filter"):
        raise Refused(400, "A metric needs a name and a filter.")
    kind = f"logging.googleapis.com/user/{given['name']}"
    descriptor = {"metricKind": "DELTA", "valueType": "INT64", **given.get("metricDescriptor", {})}
    described = f"projects/{PROJECT}/metricDescriptors/{kind}"
    return {
        **given,
        "metricDescriptor": {**descriptor, "name": described, "type": kind},
        "createTime": created or now(),
        "updateTime": now(),
    }


def create_metric(state: State, request: Request) -> Json:
    return state.add("logging", _metric(request.json.get("name", "")), _kept(request.json))


def get_metric(state: State, request: Request) -> Json:
    return state.get("logging", _metric(request.names["metric"]))


def put_metric(state: State, request: Request) -> Json:
    """Makes it where it is not there."""
    name = _metric(request.names["metric"])
    before = state.resources.get(("logging", name), {})
    state.resources["logging", name] = _kept(request.json, before.get("createTime"))
    return state.resources["logging", name]


def delete_metric(state: State, request: Request) -> Json:
    state.remove("logging", _metric(request.names["metric"]))
    return {}


def list_metrics(state: State, _request: Request) -> Json:
    return {"metrics": state.under("logging", f"projects/{PROJECT}/metrics")}


def plant_sinks(state: State) -> None:
    """The two that every project has."""
    for name in ("_Default", "_Required"):
        bucket = f"projects/{PROJECT}/locations/global/buckets/{name}"
        destination = f"logging.googleapis.com/{bucket}"
        state.resources["logging", _sink(name)] = {"name": name, "destination": destination}


def list_sinks(state: State, _request: Request) -> Json:
    return {"sinks": state.under("logging", f"projects/{PROJECT}/sinks")}


def get_sink(state: State, request: Request) -> Json:
    return state.get("logging", _sink(request.names["sink"]))


def create_sink(state: State, request: Request) -> Json:
    return state.add("logging", _sink(request.json.get("name", "")), dict(request.json))


def patch_sink(state: State, request: Request) -> Json:
    name = _sink(request.names["sink"])
    mask = request.query.get("updateMask", "")
    state.resources["logging", name] = patched(state.get("logging", name), request.json, mask)
    return state.resources["logging", name]


def delete_sink(state: State, request: Request) -> Json:
    state.remove("logging", _sink(request.names["sink"]))
    return {}


ROUTES = (
    route("logging", "POST", _METRICS, create_metric),
    route("logging", "GET", _METRICS, list_metrics),
    route("logging", "GET", f"{_METRICS}/{{metric=**}}", get_metric),
    route("logging", "PUT", f"{_METRICS}/{{metric=**}}", put_metric),
    route("logging", "DELETE", f"{_METRICS}/{{metric=**}}", delete_metric),
    route("logging", "POST", _SINKS, create_sink),
    route("logging", "GET", _SINKS, list_sinks),
    route("logging", "GET", f"{_SINKS}/{{sink}}", get_sink),
    route("logging", "PATCH", f"{_SINKS}/{{sink}}", patch_sink),
    route("logging", "PUT", f"{_SINKS}/{{sink}}", patch_sink),
    route("logging", "DELETE", f"{_SINKS}/{{sink}}", delete_sink),
)
