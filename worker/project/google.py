"""Calls to all of a project's APIs: what is not there is None, what takes its time is awaited."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from worker.project.credentials import find_credentials
from worker.rest import Api, CallFailed, Service

_CALL_SECONDS = 30.0
_OPERATION_SECONDS = 300.0
_LOOK_SECONDS = 1.0  # between two looks at an operation
_NOT_FOUND = 404

Json = dict[str, Any]


class Google:
    """The APIs. A path begins with the version, as in "v1/projects/P/topics/T".

    Every method raises CallFailed. Safe to share by threads.
    """

    def __init__(self, sleep: Callable[[float], None] = time.sleep) -> None:
        self._apis: dict[str, Api] = {}
        self._sleep = sleep

    def get(self, service: Service, path: str) -> Json | None:
        """The resource, None where there is none."""
        try:
            return self.call(service, "GET", path)
        except CallFailed as failed:
            if failed.status == _NOT_FOUND:
                return None
            raise

    def call(self, service: Service, method: str, path: str, body: Json | None = None) -> Json:
        """What the API answers."""
        new = Api(service, _CALL_SECONDS, find_credentials)  # connects to nothing yet
        answer = self._apis.setdefault(service.name, new).call(method, path, body)
        if not isinstance(answer, dict):
            raise CallFailed(f"{service.name} answered what is no resource")
        return answer

    def pages(self, service: Service, path: str, field: str) -> list[Json]:
        """All items of a list, from as many pages as there are."""
        found: list[Json] = []
        token = ""
        while True:
            joint = "&" if "?" in path else "?"
            rest = f"{joint}pageToken={quote(token, safe='')}" if token else ""
            page = self.call(service, "GET", f"{path}{rest}")
            found += page.get(field, [])
            token = page.get("nextPageToken", "")
            if not token:
                return found

    def wait(self, service: Service, version: str, operation: Json) -> Json:
        """The response of a long-running operation once it is done."""
        left = _OPERATION_SECONDS
        while not operation.get("done"):
            if left <= 0:
                raise CallFailed(f"{service.name} goes on with {operation.get('name')}: try later")
            self._sleep(_LOOK_SECONDS)
            left -= _LOOK_SECONDS
            operation = self.call(service, "GET", f"{version}/{operation['name']}")
        if "error" in operation:
            raise CallFailed(f"{service.name} could not: {operation['error'].get('message', '')}")
        answer: Json = operation.get("response", {})
        return answer
