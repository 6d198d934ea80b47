"""What the fake's APIs keep: resources by name, policies, operations."""

import base64
import copy
import hashlib
import itertools
import json
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.support.google.request import Json, Refused

PROJECT = "demo-project"
NUMBER = "123456789"

Key = tuple[str, str]  # the API, and the resource's name without a version


class State:
    """Everything, shared by the threads that answer; `lock` is held for each answer."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.resources: dict[Key, Json] = {}
        self.policies: dict[Key, Json] = {}
        self.series: list[Json] = []
        self.run_urls: dict[str, str] = {}
        self.id_token = "header.payload.signature"
        self.slow_operations = False
        self.revision_fails = ""
        self.apis_must_be_enabled = False
        self.exists_elsewhere: Callable[[str, str], bool] = lambda _api, _name: False
        self._operations: dict[Key, tuple[int, Json]] = {}
        self._numbers = itertools.count(1)

    def number(self) -> int:
        """One that nothing else got."""
        return next(self._numbers)

    def get(self, api: str, name: str) -> Json:
        """Raises Refused where there is none."""
        if (api, name) not in self.resources:
            raise Refused(404, f"Resource not found (resource={name}).")
        return self.resources[api, name]

    def under(self, api: str, collection: str) -> list[Json]:
        """The resources of a collection, as in "projects/P/topics", in order of their names."""
        return [
            resource
            for (of, name), resource in sorted(self.resources.items(), key=lambda one: one[0])
            if of == api and name.rpartition("/")[0] == collection
        ]

    def add(self, api: str, name: str, resource: Json) -> Json:
        """Raises Refused where there is one."""
        if (api, name) in self.resources:
            raise Refused(409, f"Resource already exists in the project (resource={name}).")
        self.resources[api, name] = resource
        return resource

    def remove(self, api: str, name: str) -> Json:
        """With its policy. Raises Refused where there is none."""
        gone = self.get(api, name)
        del self.resources[api, name]
        self.policies.pop((api, name), None)
        return gone

    def exists(self, api: str, name: str) -> bool:
        """Here, or where the API's calls are forwarded to."""
        return (api, name) in self.resources or self.exists_elsewhere(api, name)

    def operation(
        self, api: str, prefix: str, response: Json, metadata: Json | None = None
    ) -> Json:
        """A long-running operation that comes to this; done at once unless operations are slow."""
        name = f"{prefix}operations/{self.number():08d}"
        done = {"name": name, "metadata": metadata or {}, "done": True, "response": response}
        self._operations[api, name] = (1 if self.slow_operations else 0, done)
        return _pending(done) if self.slow_operations else done

    def look(self, api: str, name: str) -> Json:
        """At an operation: a slow one is done at the second look. Raises Refused."""
        if (api, name) not in self._operations:
            raise Refused(404, f"Operation not found: {name}")
        left, done = self._operations[api, name]
        self._operations[api, name] = (left - 1, done)
        return _pending(done) if left > 0 else done


def _pending(done: Json) -> Json:
    return {"name": done["name"], "metadata": done["metadata"]}


def now() -> str:
    """As Google's APIs write a time."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"


def etag_of(value: Any) -> str:
    """The same for the same content: a test may change what is kept, and the etag follows."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    # Of letters and digits: gcloud sends bytes back in the other alphabet for + and /.
    return base64.b64encode(digest.hex()[:12].encode()).decode()


def patched(old: Mapping[str, Any], new: Mapping[str, Any], mask: str) -> Json:
    """`old` with the fields that the update mask names taken from `new`; what is missing goes.

    Source: google.protobuf.FieldMask. An empty mask takes all that is given.
    """
    changed = copy.deepcopy(dict(old))
    for path in filter(None, mask.split(",")) if mask else new:
        _patch(changed, new, [camel(name) for name in path.split(".")])
    return changed


def _patch(into: Json, new: Mapping[str, Any], path: list[str]) -> None:
    name, *rest = path
    if rest:
        inner = into.setdefault(name, {})
        _patch(inner, new.get(name) or {}, rest)
    elif name in new:
        into[name] = copy.deepcopy(new[name])
    else:
        into.pop(name, None)


def specified(given: Mapping[str, Any]) -> Json:
    """Without what says that it says nothing, as MODE_UNSPECIFIED: the server's default holds."""
    return {
        name: value
        for name, value in given.items()
        if not (isinstance(value, str) and value.endswith("_UNSPECIFIED"))
    }


def camel(name: str) -> str:
    """A mask may be written in snake_case."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)
