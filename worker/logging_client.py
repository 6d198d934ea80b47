"""google-cloud-logging over REST, with bounded calls, to where gcloud's variable points."""

import os
from collections.abc import Callable
from typing import Any

from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.transport.requests import AuthorizedSession
from google.cloud import logging as cloud_logging

from worker.rest import gcloud_proxies

# gcloud's own variable for a Logging API elsewhere, so that one setting moves writer and reader.
ENDPOINT_VARIABLE = "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING"


class _BoundedSession(AuthorizedSession):
    """A session whose calls end in time."""

    def __init__(self, credentials: Credentials, timeout_seconds: float) -> None:
        super().__init__(credentials)  # type: ignore[no-untyped-call]
        self.proxies.update(gcloud_proxies())
        self._bounds = {"timeout": timeout_seconds, "max_allowed_time": timeout_seconds}

    def request(self, method: str, url: str, **options: Any) -> Any:  # type: ignore[override]
        return super().request(method, url, **{**options, **self._bounds})  # type: ignore[no-untyped-call]


def logging_client(
    project: str, credentials: Callable[[], Credentials], timeout_seconds: float
) -> cloud_logging.Client:
    """A client for the project, no call of which takes longer than that.

    `credentials` is asked only where they are needed: what listens on http wants none. Raises what
    that raises.
    """
    endpoint = os.environ.get(ENDPOINT_VARIABLE, "").rstrip("/")
    found = AnonymousCredentials() if endpoint.startswith("http://") else credentials()
    return cloud_logging.Client(
        project=project,
        credentials=found,
        client_options={"api_endpoint": endpoint} if endpoint else None,
        _http=_BoundedSession(found, timeout_seconds),
        _use_grpc=False,  # a channel neither survives a fork nor is worth 35 MB here
    )
