"""What is asked of an API, and the errors that it may answer."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

Json = dict[str, Any]

DEFAULT_REGION = "europe-west1"
_HOST = re.compile(r"(?:(?P<region>[a-z]+-[a-z]+\d+)-)?(?P<api>[a-z]+)\.(?:test|googleapis\.com)")
_READS = re.compile(r":(getIamPolicy|testIamPermissions|list|pull|batchGet|generateIdToken|query)$")
_NAMES = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    409: "ALREADY_EXISTS", 412: "FAILED_PRECONDITION", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL",
    501: "UNIMPLEMENTED", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip


class Refused(Exception):
    """What the API answers instead. `code` is Google's name for the status."""

    def __init__(self, status: int, message: str, code: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code or _NAMES.get(status, "UNKNOWN")
        self.reason = reason

    def json(self) -> Json:
        """As Google's APIs write an error. Source: google.rpc.Status, google.rpc.ErrorInfo."""
        error: Json = {"code": self.status, "message": self.message, "status": self.code}
        if self.reason:
            kind = "type.googleapis.com/google.rpc.ErrorInfo"
            error["details"] = [
                {"@type": kind, "reason": self.reason, "domain": "googleapis.com", "metadata": {}}
            ]
        return {"error": error}


@dataclass(frozen=True, slots=True)
class Request:
    """One call: `region` is that of the host's name, as in europe-west1-run."""

    method: str
    api: str
    path: str  # decoded, from the version on: "/v1/projects/P/topics/T"
    query: Mapping[str, str]
    body: Any  # JSON, None without a body
    region: str = DEFAULT_REGION
    target: str = ""  # path and query as they were sent
    raw: bytes = b""
    names: Mapping[str, str] = field(default_factory=dict)  # what the route's {...} stand for

    @property
    def json(self) -> Json:
        """The body. Raises Refused where it is no JSON object."""
        if isinstance(self.body, dict):
            return self.body
        raise Refused(400, "Invalid JSON payload received. Unknown name or not an object.")

    @property
    def parent(self) -> str:
        """The resource name that the path is, without the version and what follows a colon."""
        return self.path.split("/", 2)[2].partition(":")[0]


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was answered."""

    method: str
    api: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int

    @property
    def mutates(self) -> bool:
        """Whether it asks for a change. One that was refused does too, a dry run does not."""
        dry = self.query.get("dryRun") == "all" or self.query.get("validateOnly") == "True"
        return self.method != "GET" and not dry and _READS.search(self.path) is None


def read(method: str, address: str, host: str, raw: bytes) -> Request:
    """The request; `address` is absolute where we are the proxy. Raises Refused."""
    parts = urlsplit(address)
    api, region = _api_of(parts.netloc or host)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Request(method, api, unquote(parts.path), query, _json(raw), region, target, raw)


def _api_of(host: str) -> tuple[str, str]:
    """Our own address is that of Pub/Sub, whose emulator's variable has no room for a name."""
    if host.startswith("127.0.0.1:"):
        return "pubsub", DEFAULT_REGION
    found = _HOST.fullmatch(host.partition(":")[0])
    if found is None:
        raise Refused(502, f"the fake Google is no {host}")
    return found["api"], found["region"] or DEFAULT_REGION


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        raise Refused(400, "Invalid JSON payload received.") from None
