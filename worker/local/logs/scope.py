"""Names in the Logging API: of what entries are read from, and of logs."""

import re
from collections.abc import Sequence
from urllib.parse import quote, unquote

from worker.local.errors import ApiError, Code

_MOST_RESOURCES = 100
_PARENT = r"(?:projects|organizations|billingAccounts|folders)/[A-Za-z0-9][A-Za-z0-9:._-]*"
_RESOURCE = re.compile(
    rf"({_PARENT})(?:/locations/([^/]+)/buckets/([^/]+)/views/([^/]+))?", re.ASCII
)
_LOG = re.compile(rf"({_PARENT})/logs/(.+)", re.ASCII | re.DOTALL)
_LOG_ID = re.compile(r"[A-Za-z0-9/_.-]{1,511}", re.ASCII)
_VIEWS = {("global", "_Default", "_Default"), ("global", "_Default", "_AllLogs")}


def parents(names: Sequence[str]) -> list[str]:
    """Whose entries a call reads, such as projects/demo. Raises ApiError.

    The views of the _Default bucket hold all entries of their project; other buckets do not exist.
    """
    if not names:
        raise ApiError(
            Code.INVALID_ARGUMENT, "resourceNames is missing: want, say, projects/PROJECT"
        )
    if len(names) > _MOST_RESOURCES:
        raise ApiError(Code.INVALID_ARGUMENT, "resourceNames: want 100 names or fewer")
    return [_parent(name) for name in names]


def _parent(name: str) -> str:
    found = _RESOURCE.fullmatch(name)
    if found is None:
        raise ApiError(
            Code.INVALID_ARGUMENT,
            "a resource name is malformed: want projects/PROJECT or"
            " projects/PROJECT/locations/global/buckets/_Default/views/VIEW",
        )
    parent, *view = found.groups()
    if any(view) and tuple(view) not in _VIEWS:
        raise ApiError(
            Code.NOT_FOUND,
            "no such view: here is locations/global/buckets/_Default with the views"
            " _Default and _AllLogs",
        )
    return parent


def log_name(name: str) -> str:
    """The full name of a log as the service writes it: its id URL-escaped. Raises ApiError.

    From the path of a URL it comes unescaped, or still escaped where the client did that twice.
    """
    found = _LOG.fullmatch(name)
    log_id = unquote(found[2]) if found else ""
    if found is None or not _LOG_ID.fullmatch(log_id):
        raise ApiError(
            Code.INVALID_ARGUMENT,
            "the log name is malformed: want projects/PROJECT/logs/LOG_ID with letters, digits"
            " and / _ - . in the id, fewer than 512, URL-escaped (/ as %2F)",
        )
    return f"{found[1]}/logs/{quote(log_id, safe='')}"
