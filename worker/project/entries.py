"""Reading log entries, with google-cloud-logging."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests
from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import GoogleAuthError
from google.cloud import logging as cloud_logging

from worker.logging_client import logging_client
from worker.project.credentials import find_credentials
from worker.rest import CallFailed

_CALL_SECONDS = 15.0
_NO_SENSE = 502  # HTTP's word for an answer that makes none


class Entries:
    """The log entries of a project. Each call is one of the 60 that a minute allows a project."""

    def __init__(self, project: str) -> None:
        self._client = logging_client(project, find_credentials, _CALL_SECONDS)

    def find(self, query: str, most: int = 20) -> list[dict[str, Any]]:
        """The newest entries that match the query, newest first, in the JSON form of LogEntry.

        A query without a timestamp looks at the last 24 hours. Raises CallFailed.
        """
        try:
            found = self._client.list_entries(
                filter_=query, order_by=cloud_logging.DESCENDING, max_results=most, page_size=most
            )
            return [entry.to_api_repr() for entry in found]
        except (GoogleAPICallError, requests.RequestException, GoogleAuthError) as error:
            raise CallFailed(
                f"Cloud Logging cannot be read: {_cause(error)}", _status(error)
            ) from None
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError):
            raise CallFailed("Cloud Logging answered what cannot be read", _NO_SENSE) from None

    def close(self) -> None:
        """Close the connections."""
        with suppress(Exception):
            self._client.close()
        self._client._http.close()  # noqa: SLF001 - the session is ours


@contextmanager
def entries_of(project: str) -> Iterator[Entries]:
    """Its entries. Raises CallFailed without credentials."""
    try:
        entries = Entries(project)
    except GoogleAuthError as error:
        raise CallFailed(f"Cloud Logging cannot be read: {_cause(error)}") from None
    try:
        yield entries
    finally:
        entries.close()


def _status(error: Exception) -> int:
    return int(getattr(error, "code", 0) or 0)


def _cause(error: Exception) -> str:
    if isinstance(error, GoogleAPICallError):
        return f"{_status(error)} {error.message}"
    if isinstance(error, GoogleAuthError):
        return "no credentials (run `gcloud auth application-default login`)"
    return type(error).__name__
