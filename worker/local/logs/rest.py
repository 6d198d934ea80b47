"""Cloud Logging over REST: the paths that gcloud and the client libraries call."""

import json
import re
from typing import Any, NoReturn

import flask

from worker.local.errors import ApiError, Code
from worker.local.logs import protos
from worker.local.logs.config import ConfigService
from worker.local.logs.convert import to_message
from worker.local.logs.limits import REQUEST_BYTES
from worker.local.logs.service import LoggingService
from worker.local.logs.store import Logs

_PARENTS = "any(projects, organizations, billingAccounts, folders)"


def blueprint(logs: Logs) -> flask.Blueprint:
    """The routes of version 2. What the query string says about the form of answers is ignored."""
    service = LoggingService(logs)
    routes = flask.Blueprint("logging", __name__, url_prefix="/v2")
    routes.register_error_handler(ApiError, lambda error: (error.body(), error.code.status))

    @routes.post("/entries:write")
    def write() -> dict[str, Any]:
        return service.write_log_entries(to_message(_body(), protos.WriteLogEntriesRequest))

    @routes.post("/entries:list")
    def list_entries() -> dict[str, Any]:
        return service.list_log_entries(to_message(_body(), protos.ListLogEntriesRequest))

    @routes.post("/entries:tail")
    def tail() -> NoReturn:
        raise ApiError(Code.UNIMPLEMENTED, "entries:tail is a stream: it is there over gRPC only")

    @routes.get(f"/<{_PARENTS}:kind>/<name>/logs")
    @routes.get(f"/<{_PARENTS}:kind>/<name>/locations/<path:view>/logs")
    def list_logs(kind: str, name: str, view: str = "") -> dict[str, Any]:
        request = protos.ListLogsRequest(parent=f"{kind}/{name}{view and '/locations/'}{view}")
        request.resource_names.extend(flask.request.args.getlist("resourceNames"))
        request.page_token = flask.request.args.get("pageToken", "")
        request.page_size = _number("pageSize")
        return service.list_logs(request)

    @routes.delete(f"/<{_PARENTS}:kind>/<name>/logs/<path:log>")
    def delete(kind: str, name: str, log: str) -> dict[str, Any]:
        return service.delete_log(protos.DeleteLogRequest(log_name=f"{kind}/{name}/logs/{log}"))

    @routes.get("/monitoredResourceDescriptors")
    def descriptors() -> dict[str, Any]:
        return service.list_monitored_resource_descriptors(None)

    _route_sinks(routes, ConfigService(logs.sinks, logs.project))
    return routes


def _route_sinks(routes: flask.Blueprint, service: ConfigService) -> None:
    @routes.get(f"/<{_PARENTS}:kind>/<name>/sinks")
    def list_sinks(kind: str, name: str) -> dict[str, Any]:
        return service.list_sinks(protos.ListSinksRequest(parent=f"{kind}/{name}"))

    @routes.post(f"/<{_PARENTS}:kind>/<name>/sinks")
    def create_sink(kind: str, name: str) -> NoReturn:
        service.create_sink(protos.CreateSinkRequest(parent=f"{kind}/{name}"))

    @routes.get(f"/<{_PARENTS}:kind>/<name>/sinks/<sink>")
    def get_sink(kind: str, name: str, sink: str) -> dict[str, Any]:
        return service.get_sink(protos.GetSinkRequest(sink_name=f"{kind}/{name}/sinks/{sink}"))

    @routes.route(f"/<{_PARENTS}:kind>/<name>/sinks/<sink>", methods=["PATCH", "PUT"])
    def update_sink(kind: str, name: str, sink: str) -> dict[str, Any]:
        request = protos.UpdateSinkRequest(sink_name=f"{kind}/{name}/sinks/{sink}")
        request.sink.CopyFrom(to_message(_body(), protos.LogSink))
        request.update_mask.paths.extend(_mask())
        return service.update_sink(request)

    @routes.delete(f"/<{_PARENTS}:kind>/<name>/sinks/<sink>")
    def delete_sink(kind: str, name: str, sink: str) -> NoReturn:
        service.delete_sink(protos.DeleteSinkRequest(sink_name=f"{kind}/{name}/sinks/{sink}"))


def _mask() -> list[str]:
    """The names of updateMask, which may be written in either case, as the proto has them."""
    names = flask.request.args.get("updateMask", "").split(",")
    return [re.sub("([A-Z])", r"_\1", name).lower() for name in names if name]


def _body() -> Any:
    """The JSON of the request, strictly read: what is no JSON for Google is none here."""
    data = flask.request.get_data(cache=False)
    if len(data) > 2 * REQUEST_BYTES:
        raise ApiError(Code.INVALID_ARGUMENT, "the request exceeds 10 MB: write fewer at once")
    try:
        return json.loads(data or b"{}", parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise ApiError(
            Code.INVALID_ARGUMENT, "Invalid JSON payload received. It cannot be read as JSON."
        ) from None


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _number(name: str) -> int:
    text = flask.request.args.get(name, "0")
    if not text.removeprefix("-").isdecimal() or len(text) > 9:  # noqa: PLR2004 - within int32
        raise ApiError(Code.INVALID_ARGUMENT, f"{name}: want a whole number")
    return int(text)
