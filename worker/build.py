"""Settings -> Worker: each part chosen here, once, and handed in."""

import os
from pathlib import Path

from worker.artifacts import Artifacts, NoArtifacts
from worker.artifacts.folder import FolderArtifacts
from worker.auth import authenticator
from worker.claims import OwnClaims, Store
from worker.claims.memory import MemoryClaims
from worker.config import LogSink, OnError, Settings, SettingsInvalid, folder_of
from worker.log import Log, Service
from worker.pipeline import Worker
from worker.places import Places
from worker.quarantine import NoQuarantine, Quarantine
from worker.quarantine.folder import FolderQuarantine
from worker.registry import load
from worker.sink import ENTRY_LIMIT, SHARED_LIMIT, Sink, StdoutSink

_METADATA_SECONDS = 2.0


def build(settings: Settings) -> Worker:
    """The worker that the settings describe. Raises HandlersInvalid."""
    return Worker(
        features=load(settings.handlers, build_unknown=settings.builds_unknown),
        authenticate=authenticator(settings),
        claims=_claims(settings),
        quarantine=_quarantine(settings),
        log=root_log(settings),
        budget_seconds=settings.budget_seconds,
        places=Places(settings.handler_threads),
        artifacts=artifacts_of(settings),
    )


def root_log(settings: Settings) -> Log:
    """The log of this process."""
    service = Service(settings.service, settings.revision, settings.google_cloud_project or "")
    return Log(_sink(settings), settings.level, service)


def _sink(settings: Settings) -> Sink:
    stdout = StdoutSink(limit=ENTRY_LIMIT if settings.workers == 1 else SHARED_LIMIT)
    if settings.log_sink is LogSink.STDOUT:
        return stdout
    from worker.api_sink import ApiSink, connect  # noqa: PLC0415 - google.cloud, only if used

    return ApiSink(connect(settings.google_cloud_project or ""), stdout, settings.service)


def _claims(settings: Settings) -> OwnClaims:
    near = MemoryClaims(retention_seconds=settings.claim_retention_seconds)
    if settings.claims == "memory":
        return near
    from worker.claims.shared import SharedClaims  # noqa: PLC0415 - only if used

    return SharedClaims(
        store_of(settings), near, settings.claim_lease_seconds,
        run_on_error=settings.claims_on_error is OnError.RUN,
    )  # fmt: skip


def store_of(settings: Settings) -> Store:
    """The store that CLAIMS names, not asked yet. Raises SettingsInvalid for a wrong address."""
    lease, retention = settings.claim_lease_seconds, settings.claim_retention_seconds
    kind, _, place = settings.claims.partition(":")
    if kind == "firestore":
        from worker.claims.firestore import FirestoreClaims  # noqa: PLC0415 - requests, google.auth

        project = settings.google_cloud_project or ""
        return FirestoreClaims(project, place or "(default)", lease, retention)
    from worker.claims.redis import RedisClaims  # noqa: PLC0415 - redis

    try:
        return RedisClaims(settings.claims, lease, retention)
    except ValueError as error:
        raise SettingsInvalid(str(error)) from None


def _quarantine(settings: Settings) -> Quarantine:
    kind, _, place = settings.quarantine.partition(":")
    if kind == "folder":
        return FolderQuarantine(folder_of(settings.quarantine))
    if kind == "none":
        return NoQuarantine()
    from worker.pubsub import Publisher  # noqa: PLC0415 - requests and google.auth, only if used
    from worker.quarantine.topic import TopicQuarantine  # noqa: PLC0415

    return TopicQuarantine(place, Publisher().publish)


def artifacts_of(settings: Settings) -> Artifacts:
    """Where ARTIFACTS says."""
    kind, _, place = settings.artifacts.partition(":")
    if kind == "none":
        return NoArtifacts()
    if kind == "folder":
        return FolderArtifacts(Path(place))
    from worker.artifacts.storage import StorageArtifacts  # noqa: PLC0415 - google.cloud

    return StorageArtifacts(settings.artifacts)


def project_of_metadata_server() -> str | None:
    """The project of this Cloud Run instance, which no environment variable tells."""
    from http.client import HTTPException  # noqa: PLC0415 - only if asked
    from urllib.request import Request, urlopen  # noqa: PLC0415

    host = os.environ.get("GCE_METADATA_HOST", "metadata.google.internal")
    request = Request(
        f"http://{host}/computeMetadata/v1/project/project-id",
        headers={"Metadata-Flavor": "Google"},
    )
    try:
        with urlopen(request, timeout=_METADATA_SECONDS) as response:  # noqa: S310 - a fixed scheme
            project: bytes = response.read(200)
    except (OSError, HTTPException):
        return None
    return project.decode("ascii", "replace") or None
