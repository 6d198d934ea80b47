"""LOG_SINK=api: entries written with google-cloud-logging, where no agent reads stdout.

The library's own background transport is not used: it loses what is queued when the process is
forked, stopped or throttled. Here the entries of one push are written in one call before the push
is answered; what the API does not take goes to stdout.
"""

import json
import os
import socket
import threading
from collections.abc import Mapping
from typing import Any

import google.auth
from google.auth.exceptions import DefaultCredentialsError
from google.cloud import logging as cloud_logging

from worker.config import SettingsInvalid
from worker.jsonline import encode
from worker.logentry import lift
from worker.logging_client import logging_client
from worker.sink import ENTRY_LIMIT, Batch, Sink

_TIMEOUT_SECONDS = 5.0  # of one call: it is part of the time that a push may take
_CALL_LIMIT = 8 * 1024 * 1024  # bytes; entries.write takes 10 MB
_SCOPE = "https://www.googleapis.com/auth/logging.write"


def connect(project: str) -> cloud_logging.Client:
    """A client that writes to the project's log. Raises SettingsInvalid without credentials."""
    try:
        return logging_client(
            project, lambda: google.auth.default(scopes=[_SCOPE])[0], _TIMEOUT_SECONDS
        )
    except DefaultCredentialsError as error:
        raise SettingsInvalid(
            "LOG_SINK=api finds no credentials (run `gcloud auth application-default login`)"
        ) from error


class ApiSink:
    """Writes entries to the log `name` of the client's project; to `fallback` when that fails."""

    def __init__(self, client: cloud_logging.Client, fallback: Sink, name: str) -> None:
        self._client = client
        self._process = os.getpid()
        self._fallback = fallback
        self._delivering = threading.local()  # .now: this thread is in a call of the client
        self._log_name = f"projects/{client.project}/logs/{name}"
        labels = {
            "project_id": client.project,
            "location": "global",
            "namespace": "",
            "job": name,
            "task_id": f"{socket.gethostname()}-{os.getpid()}",
        }
        self._resource = {"type": "generic_task", "labels": labels}

    def write(self, entry: Mapping[str, Any]) -> None:
        """Write one entry that belongs to no push."""
        self.deliver([entry])

    def batch(self) -> Batch:
        """Collect the entries of one push."""
        return _ApiBatch(self)

    def deliver(self, entries: list[Mapping[str, Any]]) -> None:
        """Write the entries in one call (in several only above the API's size limit).

        What the client itself logs during a call goes to the fallback: it would cause more calls.
        """
        if getattr(self._delivering, "now", False):
            for entry in entries:
                self._fallback.write(entry)
            return
        self._delivering.now = True
        try:
            self._deliver(entries)
        finally:
            self._delivering.now = False

    def _deliver(self, entries: list[Mapping[str, Any]]) -> None:
        lines = [encode(entry, ENTRY_LIMIT) for entry in entries]
        for chunk in _chunks(list(zip(entries, lines, strict=True))):
            resources = [self._log_entry(line) for _, line in chunk]
            try:
                self._connected().logging_api.write_entries(resources)
            except Exception as error:  # noqa: BLE001 - nothing the client raises may lose an entry
                for entry, _ in chunk:
                    self._fallback.write({**entry, "log_sink_error": type(error).__name__})

    def _connected(self) -> cloud_logging.Client:
        """The client. A forked process gets its own: two on one connection mix up the answers."""
        if self._process != os.getpid():
            self._client = connect(self._client.project)
            self._process = os.getpid()
        return self._client

    def _log_entry(self, line: bytes) -> dict[str, Any]:
        return {**lift(json.loads(line)), "logName": self._log_name, "resource": self._resource}


class _ApiBatch:
    """The entries of one push, in memory until it is answered."""

    def __init__(self, sink: ApiSink) -> None:
        self._sink = sink
        self._held: list[Mapping[str, Any]] | None = []

    def write(self, entry: Mapping[str, Any]) -> None:
        """Hold the entry; after the batch is closed (a handler that runs on) write it at once."""
        if self._held is None:
            self._sink.write(entry)
        else:
            self._held.append(entry)

    def batch(self) -> Batch:
        return self

    def close(self) -> None:
        """Write what is held in one call."""
        held, self._held = self._held, None
        if held:
            self._sink.deliver(held)


def _chunks(
    entries: list[tuple[Mapping[str, Any], bytes]],
) -> list[list[tuple[Mapping[str, Any], bytes]]]:
    chunks: list[list[tuple[Mapping[str, Any], bytes]]] = []
    size = _CALL_LIMIT
    for entry, line in entries:
        if size + len(line) > _CALL_LIMIT:
            chunks.append([])
            size = 0
        chunks[-1].append((entry, line))
        size += len(line)
    return chunks
