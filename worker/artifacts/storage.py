"""ARTIFACTS=gs://BUCKET/PREFIX: objects in Cloud Storage."""

import mimetypes
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property

import requests
from google.api_core import exceptions
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.cloud.storage import Blob, Client
from google.cloud.storage.exceptions import DataCorruption, InvalidResponse
from google.cloud.storage.retry import DEFAULT_RETRY

from worker.artifacts import MANIFEST, ArtifactsFailed, check_bundle, check_name, manifest_of
from worker.rest import application_default

EMULATOR = "STORAGE_EMULATOR_HOST"  # the variable that Google's clients read
_SECONDS = 5.0  # for a call, and as long again for its retries
_FAILURES = (
    exceptions.GoogleAPIError, GoogleAuthError, requests.RequestException, DataCorruption,
    InvalidResponse,
)  # fmt: skip


class StorageArtifacts:
    """A bundle is there once its manifest is, which is written last. Connects on first use.

    No object is ever written over, so what a manifest says of the files stays true whoever else
    keeps a bundle of that name at the same time.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        self._bucket, _, self._prefix = self._address.removeprefix("gs://").partition("/")
        self._clients = threading.local()

    def keep(self, name: str, files: Mapping[str, bytes]) -> str:
        """Write them to `gs://BUCKET/PREFIX/name/`."""
        check_bundle(name, files)
        with self._failing_clearly():
            if not self._is_whole(name):
                self._write(name, files)
        return f"{self._address}/{name}"

    def find(self, name: str) -> str | None:
        """Look for its manifest."""
        check_name(name)
        with self._failing_clearly():
            return f"{self._address}/{name}" if self._is_whole(name) else None

    def _is_whole(self, name: str) -> bool:
        manifest = self._blob(f"{name}/{MANIFEST}")
        there: bool = manifest.exists(timeout=_SECONDS, retry=DEFAULT_RETRY.with_timeout(_SECONDS))
        return there

    def _write(self, name: str, files: Mapping[str, bytes]) -> None:
        for file, data in sorted(files.items()):  # so that of two rivals one wins
            if self._create(f"{name}/{file}", data) or self._has(f"{name}/{file}", data):
                continue
            if self._is_whole(name):
                return  # another was first, with a bundle that is not ours
            raise ArtifactsFailed(
                f"{self._address}/{name} has files of a bundle that was never finished, and they "
                "are not the same: delete them"
            )
        self._create(f"{name}/{MANIFEST}", manifest_of(files))

    def _create(self, path: str, data: bytes) -> bool:
        """Whether it was not there yet."""
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        try:
            self._blob(path).upload_from_string(
                data, content_type=kind, if_generation_match=0, timeout=_SECONDS,
                retry=DEFAULT_RETRY.with_timeout(_SECONDS),
            )  # fmt: skip
        except exceptions.PreconditionFailed:
            return False
        return True

    def _has(self, path: str, data: bytes) -> bool:
        """Whether these bytes are there: of a keep that did not end, or of a lost answer."""
        retry = DEFAULT_RETRY.with_timeout(_SECONDS)
        there: bytes = self._blob(path).download_as_bytes(timeout=_SECONDS, retry=retry)
        return there == data

    def _blob(self, path: str) -> Blob:
        """One client per thread: requests does not promise that sessions can be shared."""
        if not hasattr(self._clients, "bucket"):
            self._clients.bucket = self._connect().bucket(self._bucket)
        return self._clients.bucket.blob(f"{self._prefix}/{path}" if self._prefix else path)

    def _connect(self) -> Client:
        client = self._client()
        # Or a thread in the background asks for the bucket itself, which our role does not allow.
        client._bucket_metadata_cache = None  # noqa: SLF001 - it has no other switch in the code
        return client

    def _client(self) -> Client:
        emulator = os.environ.get(EMULATOR, "")
        if not emulator:
            return Client(project=None, credentials=self._credentials)
        endpoint = emulator if "://" in emulator else f"http://{emulator}"
        return Client(
            project=None,
            credentials=AnonymousCredentials(),
            client_options={"api_endpoint": endpoint},
        )

    @cached_property
    def _credentials(self) -> Credentials:
        """Found once, with one token for all threads."""
        return application_default()

    @contextmanager
    def _failing_clearly(self) -> Iterator[None]:
        try:
            yield
        except _FAILURES as error:
            raise ArtifactsFailed(f"{self._address} cannot be used: {self._why(error)}") from error

    def _why(self, error: BaseException) -> str:
        if isinstance(error, exceptions.RetryError) and error.cause is not None:
            return self._why(error.cause)
        if isinstance(error, exceptions.NotFound):
            return f"there is no bucket {self._bucket} (make it, or mend ARTIFACTS)"
        if isinstance(error, exceptions.Forbidden):
            role = "roles/storage.objectUser"
            return f"no permission (give the worker's account {role} on the bucket)"
        if isinstance(error, DefaultCredentialsError):
            return "no credentials (run `gcloud auth application-default login`)"
        if isinstance(error, exceptions.GoogleAPICallError):
            return f"Cloud Storage answered {error.code}"
        return type(error).__name__
