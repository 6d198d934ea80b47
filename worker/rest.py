"""JSON calls to one of Google's REST APIs, without grpc; to its emulator where one is named."""

import os
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import google.auth
import google.auth.exceptions
import requests
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession


class CallFailed(Exception):
    """The API did not do it. One line: why and what to do, without what was sent.

    `status` is that of HTTP, 0 when there was no answer; `code` is Google's name for it, or "".
    """

    def __init__(self, reason: str, status: int = 0, code: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Service:
    """Which API, and where: `emulator` is the variable with its emulator's HOST:PORT."""

    name: str
    address: str
    emulator: str

    def endpoint(self) -> str:
        """The service's address, or the emulator's when its variable is set."""
        emulator = os.environ.get(self.emulator, "")
        return f"http://{emulator}" if emulator else self.address


class Api:
    """Calls a service. Safe to share by threads."""

    def __init__(self, service: Service, timeout_seconds: float) -> None:
        self._service = service
        self._timeout = timeout_seconds
        self._sessions = threading.local()

    def post(self, path: str, body: Any, timeout_seconds: float | None = None) -> Any:
        """The JSON that the API answers. Raises CallFailed."""
        endpoint = self._service.endpoint()
        timeout = self._timeout if timeout_seconds is None else timeout_seconds
        try:
            answer = self._session().post(f"{endpoint}/v1/{path}", json=body, timeout=timeout)
            if answer.ok:
                return answer.json()
        except (requests.RequestException, google.auth.exceptions.GoogleAuthError) as error:
            raise CallFailed(f"{endpoint} cannot be used: {_cause(error)}") from error
        except (ValueError, RecursionError):
            raise CallFailed(f"{endpoint} answered what cannot be read") from None
        raise self._refusal(answer)

    def _session(self) -> requests.Session:
        """One session per thread: requests does not promise that sessions can be shared."""
        if not hasattr(self._sessions, "session"):
            self._sessions.session = self._connect()
        session: requests.Session = self._sessions.session
        return session

    def _connect(self) -> requests.Session:
        if self._service.endpoint() != self._service.address:
            return requests.Session()
        return AuthorizedSession(self._credentials)

    @cached_property
    def _credentials(self) -> Credentials:
        """Found once, with one token for all threads: both may take calls to other servers."""
        credentials, _ = google.auth.default(
            scopes=["https://www.googleapis.com/auth/cloud-platform"]
        )
        return credentials

    def _refusal(self, answer: requests.Response) -> CallFailed:
        try:
            error = answer.json()["error"]
            said, code = str(error["message"]), str(error.get("status", ""))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            said, code = answer.reason, ""
        reason = f"{self._service.name} answered {answer.status_code}: {said}"
        return CallFailed(reason, answer.status_code, code)


def _cause(error: Exception) -> str:
    if isinstance(error, google.auth.exceptions.DefaultCredentialsError):
        return "no credentials (run `gcloud auth application-default login`)"
    return type(error).__name__
