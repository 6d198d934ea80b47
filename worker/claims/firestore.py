"""CLAIMS=firestore: a document for each key, in a database that all processes share.

Each write names the version that it replaces, so of two writers one succeeds, at once. There are no
transactions: two that meet on a document wait for each other's locks, for seconds.

A record counts for some seconds after its last write. Both times are Firestore's, that of the
write and that of the read which finds it, so no worker's clock matters.
"""

import secrets
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NamedTuple, TypeVar

from worker.claims import Claim, StoreFailed
from worker.outcome import Busy, Duplicate
from worker.rest import Api, CallFailed, Service

FIRESTORE = Service("Firestore", "https://firestore.googleapis.com", "FIRESTORE_EMULATOR_HOST")
COLLECTION = "feature-worker-claims"

_TRIES = 3  # writes of one method: more than one only where somebody else writes, too
_CALL_SECONDS = 1.0
_TOTAL_SECONDS = 2.0  # for the calls of one method
_KEY_LENGTH = 1_000  # of the key in its document, where it is for people

# What Google calls a write that somebody else came before.
_CONFLICTS = {"ALREADY_EXISTS", "FAILED_PRECONDITION", "NOT_FOUND", "ABORTED"}
_HINTS = {
    "PERMISSION_DENIED": " (want roles/datastore.user for the account, and the API enabled)",
    "NOT_FOUND": " (want a database that exists, see GOOGLE_CLOUD_PROJECT and CLAIMS)",
}

_Answer = TypeVar("_Answer")


class _Unsettled(StoreFailed):
    """The record is at another version, or nobody knows at which: it has to be read."""


class _Found(NamedTuple):
    """What a read finds; without a document all of it is empty."""

    version: str = ""
    counts: bool = False
    state: str = ""
    token: str = ""


class FirestoreClaims:
    """Claims in a database of the project, as documents of one collection."""

    def __init__(
        self,
        project: str,
        database: str,
        lease_seconds: float,
        retention_seconds: float,
        collection: str = COLLECTION,
    ) -> None:
        self._lease = lease_seconds
        self._retention = retention_seconds
        self._documents = f"projects/{project}/databases/{database}/documents"
        self._collection = collection
        self._api = Api(FIRESTORE, _CALL_SECONDS)

    def acquire(self, key: str) -> Claim:
        """Hold the key. Raises Duplicate, Busy or StoreFailed."""
        claim = Claim(key, secrets.token_hex(16))
        try:
            return self._hold(claim)
        except StoreFailed as failed:
            failed.doubtful = claim
            raise

    def renew(self, claim: Claim) -> Claim | None:
        """The claim with a new lease, None when it was lost. Raises StoreFailed."""
        with suppress(Duplicate, Busy):
            return self._hold(claim)
        return None

    def finish(self, claim: Claim) -> None:
        """Mark the key done, unless somebody else holds it now. Raises StoreFailed."""
        with suppress(Duplicate, Busy):
            self._change(claim, self._record(claim, "done", self._retention))

    def release(self, claim: Claim) -> None:
        """Give the key back, unless somebody else holds it or it is done. Raises StoreFailed."""
        with suppress(Duplicate, Busy):
            self._change(claim, {"delete": self._name(claim.key)})

    def _hold(self, claim: Claim) -> Claim:
        version = self._change(claim, self._record(claim, "held", self._lease))
        return claim._replace(version=version)

    def _record(self, claim: Claim, state: str, seconds: float) -> dict[str, Any]:
        """The write of a record that counts for that long."""
        # For the TTL policy alone. It is far behind a lease's end, so that a clock that is slow by
        # hours takes no key away from its holder.
        expires = datetime.now(UTC) + timedelta(seconds=max(seconds, self._retention))
        readable = claim.key.encode("utf-8", "backslashreplace").decode()[:_KEY_LENGTH]
        fields = {
            "key": {"stringValue": readable},
            "state": {"stringValue": state},
            "token": {"stringValue": claim.token},
            "seconds": {"doubleValue": seconds},
            "expires_at": {"timestampValue": expires.isoformat()},
        }
        return {"update": {"name": self._name(claim.key), "fields": fields}}

    def _name(self, key: str) -> str:
        digest = sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{self._documents}/{self._collection}/{digest}"

    def _change(self, claim: Claim, write: Mapping[str, Any]) -> str:
        """Write, and return the new version. Raises Duplicate or Busy if somebody's record counts.

        The version is guessed first: for most keys, and for most holders of a claim, it is right.
        """
        until = time.monotonic() + _TOTAL_SECONDS
        version, tries = claim.version, _TRIES
        while True:
            tries -= 1
            try:
                return self._commit(write, version, until)
            except _Unsettled:
                if not tries:
                    raise
            found = self._read(self._name(claim.key), until)
            if found.counts and found.state == "done":
                raise Duplicate("an earlier delivery of this message was done")
            if found.counts and found.token != claim.token:
                raise Busy("another delivery of this message is being handled")
            version = found.version

    def _commit(self, write: Mapping[str, Any], version: str, until: float) -> str:
        """The new version. Raises _Unsettled if the old one is not `version` ("": none there)."""
        condition = {"updateTime": version} if version else {"exists": False}
        body = {"writes": [{**write, "currentDocument": condition}]}
        return self._call("commit", body, _version_in, until)

    def _read(self, name: str, until: float) -> _Found:
        return self._call("batchGet", {"documents": [name]}, _found_in, until)

    def _call(
        self, method: str, body: Any, read: Callable[[Any], _Answer], until: float
    ) -> _Answer:
        seconds = min(_CALL_SECONDS, until - time.monotonic())
        if seconds <= 0:
            raise StoreFailed("Firestore cannot be used: timed out")
        try:
            return read(self._api.post(f"{self._documents}:{method}", body, seconds))
        except CallFailed as failed:
            raise _told(failed) from failed
        except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
            raise StoreFailed("Firestore answered what cannot be read") from error


def _version_in(answer: Any) -> str:
    return str(answer["writeResults"][0].get("updateTime", ""))  # a delete has none


def _found_in(answer: Any) -> _Found:
    (one,) = answer
    if "missing" in one:
        return _Found()
    fields, version = one["found"]["fields"], str(one["found"]["updateTime"])
    age = datetime.fromisoformat(one["readTime"]) - datetime.fromisoformat(version)
    return _Found(
        version,
        age.total_seconds() < float(fields["seconds"]["doubleValue"]),
        str(fields["state"]["stringValue"]),
        str(fields["token"]["stringValue"]),
    )


def _told(failed: CallFailed) -> StoreFailed:
    """The reason in one line. Without an answer, or after one of 5xx, the write may be done."""
    open_end = not failed.status or failed.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    kind = _Unsettled if open_end or failed.code in _CONFLICTS else StoreFailed
    said = " ".join(str(failed).replace(FIRESTORE.endpoint(), FIRESTORE.name).split())
    return kind(said + _HINTS.get(failed.code, ""))
