"""JSON calls to one of Google's REST APIs, without grpc; to its emulator where one is named."""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import google.auth
import google.auth.exceptions
import requests
from google.auth.credentials import Credentials
from google.auth.transport.requests import AuthorizedSession

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
# gcloud's own. The laptop cloud's shells have it set, so that nothing reaches a real project.
DISABLED_VARIABLE = "CLOUDSDK_AUTH_DISABLE_CREDENTIALS"


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
    """Which API, and where, unless a variable says otherwise.

    `emulator` is the variable with the HOST:PORT of its emulator; `override` is gcloud's own
    variable with the whole address, so that one setting moves gcloud and this program.
    """

    name: str
    address: str
    emulator: str = ""
    override: str = ""

    def endpoint(self) -> str:
        """The address to call, without a slash at its end."""
        emulator = os.environ.get(self.emulator, "")
        override = os.environ.get(self.override, "").rstrip("/")
        return f"http://{emulator}" if emulator else override or self.address


class CredentialsDisabled(google.auth.exceptions.DefaultCredentialsError):
    """This shell is not to use any."""

    def __init__(self) -> None:
        super().__init__(f"{DISABLED_VARIABLE} is set")  # type: ignore[no-untyped-call]


def credentials_disabled() -> bool:
    """Whether gcloud's variable says so."""
    return os.environ.get(DISABLED_VARIABLE, "").lower() in ("1", "true", "yes")


def gcloud_proxies() -> dict[str, str]:
    """The proxy that gcloud's variables name, as requests wants it; empty where they name none.

    Sources: gcloud topic configurations, proxy/type, proxy/address, proxy/port.
    """
    kind, address, port = (
        os.environ.get(f"CLOUDSDK_PROXY_{name}", "") for name in ("TYPE", "ADDRESS", "PORT")
    )
    if not kind.startswith("http") or not address or not port:
        return {}
    return dict.fromkeys(("http", "https"), f"http://{address}:{port}")


def application_default() -> Credentials:
    """The credentials of this machine, or of the account it runs as. Raises GoogleAuthError."""
    found: Credentials = google.auth.default(scopes=[SCOPE])[0]
    return found


class Api:
    """Calls a service. Safe to share by threads.

    `credentials` is asked once, and never where a variable names an http address: an emulator's.
    """

    def __init__(
        self,
        service: Service,
        timeout_seconds: float,
        credentials: Callable[[], Credentials] = application_default,
    ) -> None:
        self._service = service
        self._timeout = timeout_seconds
        self._find_credentials = credentials
        self._sessions = threading.local()

    def post(self, path: str, body: Any, timeout_seconds: float | None = None) -> Any:
        """POST to a path of version 1; the JSON that the API answers. Raises CallFailed."""
        return self.call("POST", f"v1/{path}", body, timeout_seconds)

    def call(
        self, method: str, path: str, body: Any = None, timeout_seconds: float | None = None
    ) -> Any:
        """The JSON that the API answers; `path` begins with the version. Raises CallFailed."""
        endpoint = self._service.endpoint()
        timeout = self._timeout if timeout_seconds is None else timeout_seconds
        try:
            answer = self._session().request(
                method, f"{endpoint}/{path}", json=body, timeout=timeout
            )
            if answer.status_code == requests.codes.no_content:  # as Cloud Storage deletes
                return {}
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
        endpoint = self._service.endpoint()
        elsewhere = endpoint != self._service.address and endpoint.startswith("http://")
        session = requests.Session() if elsewhere else AuthorizedSession(self._credentials)
        session.proxies.update(gcloud_proxies())
        return session

    @cached_property
    def _credentials(self) -> Credentials:
        """Found once, with one token for all threads: both may take calls to other servers."""
        return self._find_credentials()

    def _refusal(self, answer: requests.Response) -> CallFailed:
        try:
            error = answer.json()["error"]
            said, code = str(error["message"]), str(error.get("status", ""))
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
            said, code = answer.reason, ""
        reason = f"{self._service.name} answered {answer.status_code}: {said}"
        return CallFailed(reason, answer.status_code, code)


def _cause(error: Exception) -> str:
    if isinstance(error, CredentialsDisabled):
        return f"this shell talks to a stand-in ({DISABLED_VARIABLE} is set)"
    if isinstance(error, google.auth.exceptions.DefaultCredentialsError):
        return "no credentials (run `gcloud auth application-default login`)"
    return type(error).__name__
