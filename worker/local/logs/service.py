"""The calls of Cloud Logging's LoggingServiceV2: protobuf requests in, answers in JSON form out.

Both servers use it, so that REST and gRPC cannot differ. Source: google/logging/v2/logging.proto.
"""

import base64
import json
from typing import Any
from zlib import crc32

from worker.local.errors import ApiError, Code
from worker.local.logs.scope import log_name, parents
from worker.local.logs.store import Logs
from worker.local.logs.writes import check_request, entries_of
from worker.local.lql import FilterError, Query, parse

_DEFAULT_PAGE = 50
_LARGEST_PAGE = 1000
_NEWEST_FIRST = {"": False, "timestamp": False, "timestamp asc": False, "timestamp desc": True}
_RESOURCES = {
    "cloud_run_revision": "A revision in Cloud Run.",
    "generic_task": "A task that runs in some job.",
    "global": "A resource type used when no other fits.",
}


class LoggingService:
    """Each call by its name. They raise ApiError."""

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def write_log_entries(self, request: Any) -> dict[str, Any]:
        """Add entries: all or none, unless partialSuccess is set; none of a dryRun."""
        check_request(request)
        good, problems = entries_of(request, self._logs.now())
        if problems and not request.partial_success:
            raise problems[0]
        if not request.dry_run:
            self._logs.write(good)
        if problems:
            raise problems[0]
        return {}

    def list_log_entries(self, request: Any) -> dict[str, Any]:
        """A page of the entries that match. It may be empty and yet not the last one."""
        query = parse_filter(request.filter)
        whose = parents(request.resource_names)
        order = " ".join(request.order_by.split())
        if order not in _NEWEST_FIRST:
            raise ApiError(
                Code.INVALID_ARGUMENT, 'orderBy: want "timestamp asc" or "timestamp desc"'
            )
        mark = _mark(request.filter, order, *sorted(set(whose)))
        after, size = _checked(request.page_token, mark), _page_size(request, _DEFAULT_PAGE)
        newest = _NEWEST_FIRST[order]
        try:
            found = self._logs.search(
                query, limit=size, newest_first=newest, after=after, parents=whose
            )
        except ValueError as error:
            raise ApiError(Code.INVALID_ARGUMENT, f"pageToken: {error}") from None
        return {"entries": found.entries} | _next(found.next, mark)

    def list_logs(self, request: Any) -> dict[str, Any]:
        """A page of the names of logs that hold entries."""
        whose = parents([name for name in (request.parent, *request.resource_names) if name])
        after = _decoded(_checked(request.page_token, _mark(*whose)))
        size = _page_size(request, _LARGEST_PAGE)
        names = [name for name in self._logs.names() if name.split("/logs/")[0] in whose]
        page = [name for name in names if name > after][: size + 1]
        answer: dict[str, Any] = {"logNames": page[:size]}
        if len(page) > size:
            last = base64.urlsafe_b64encode(page[size - 1].encode()).decode()
            answer |= _next(last, _mark(*whose))
        return answer

    def delete_log(self, request: Any) -> dict[str, Any]:
        """Remove all entries of a log."""
        if not self._logs.delete(log_name(request.log_name)):
            raise ApiError(Code.NOT_FOUND, "no entries in this log: `logs list` shows those there")
        return {}

    def list_monitored_resource_descriptors(self, _: Any) -> dict[str, Any]:
        """The types of resources that write entries here; more can be written."""
        found = [
            {"type": kind, "displayName": kind.replace("_", " "), "description": text}
            for kind, text in _RESOURCES.items()
        ]
        return {"resourceDescriptors": found}


def parse_filter(text: str) -> Query:
    """Raises ApiError with the place and the reason."""
    try:
        return parse(text)
    except FilterError as error:
        raise ApiError(Code.INVALID_ARGUMENT, f"Unparseable filter: {error}") from None


def _page_size(request: Any, default: int) -> int:
    if request.page_size < 0:
        raise ApiError(Code.INVALID_ARGUMENT, "pageSize: want 1 to 1000, or none")
    return min(request.page_size or default, _LARGEST_PAGE)


def _mark(*words: str) -> str:
    """Tells whether a page token belongs to this call."""
    return f"{crc32(json.dumps(words).encode()):08x}"


def _next(token: str, mark: str) -> dict[str, str]:
    return {"nextPageToken": mark + token} if token else {}


def _checked(token: str, mark: str) -> str:
    """The token without its mark."""
    if token and not token.startswith(mark):
        raise ApiError(
            Code.INVALID_ARGUMENT,
            "pageToken belongs to another call: repeat filter, orderBy and resourceNames as they"
            " were",
        )
    return token.removeprefix(mark)


def _decoded(token: str) -> str:
    """The name of the log that a page ended with."""
    try:
        return base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True).decode()
    except ValueError:
        raise ApiError(Code.INVALID_ARGUMENT, "pageToken is none that this service gave") from None
