"""IAM policies of topics, subscriptions and snapshots: kept, not enforced.

On this machine everybody may do everything, so that is what `test_iam_permissions` says.
"""

import hashlib
import sqlite3
from typing import Any

from google.iam.v1 import (  # type: ignore[import-untyped]  # ships no types
    iam_policy_pb2,
    policy_pb2,
)

from worker.local.errors import ApiError, Code
from worker.local.pubsub.names import not_found
from worker.local.pubsub.state import State

_COLLECTIONS = {"topics", "subscriptions", "snapshots"}
_NO_POLICY_ETAG = b"\x00\x20\x01"  # shown as "ACAB", as the service does


class PolicyCalls(State):
    """The service google.iam.v1.IAMPolicy. Each call raises ApiError."""

    def get_iam_policy(self, request: Any) -> Any:
        """The policy; an empty one if none was set."""
        with self._database.read() as connection:
            return _policy(connection, request.resource)

    def set_iam_policy(self, request: Any) -> Any:
        """The policy as it is kept. ABORTED if it was changed since its etag was read."""
        policy = policy_pb2.Policy()
        policy.CopyFrom(request.policy)
        policy.version = policy.version or 1
        policy.ClearField("etag")
        policy.etag = hashlib.sha256(policy.SerializeToString()).digest()[:8]
        with self._change() as tx:
            current = _policy(tx.connection, request.resource)
            if request.policy.etag and request.policy.etag != current.etag:
                raise ApiError(
                    Code.ABORTED,
                    "There were concurrent policy changes."
                    " Please retry the whole read-modify-write with exponential backoff.",
                )
            tx.connection.execute(
                "REPLACE INTO policies VALUES (?, ?)",
                (request.resource, policy.SerializeToString()),
            )
        return policy

    def test_iam_permissions(self, request: Any) -> Any:
        """All that were asked for; none for a resource that is not there."""
        try:
            self.get_iam_policy(request)
        except ApiError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return iam_policy_pb2.TestIamPermissionsResponse()
        return iam_policy_pb2.TestIamPermissionsResponse(permissions=request.permissions)


def _policy(connection: sqlite3.Connection, resource: str) -> Any:
    there = connection.execute(
        f"SELECT 1 FROM {_table(resource)} WHERE name = ?",  # noqa: S608 - one of three constants
        (resource,),
    )
    if there.fetchone() is None:
        raise not_found(resource)
    row = connection.execute("SELECT body FROM policies WHERE resource = ?", (resource,)).fetchone()
    if row is None:
        return policy_pb2.Policy(etag=_NO_POLICY_ETAG)
    return policy_pb2.Policy.FromString(row["body"])


def _table(resource: str) -> str:
    parts = resource.split("/")
    if len(parts) != 4 or parts[2] not in _COLLECTIONS:  # noqa: PLR2004 - projects/P/topics/T
        raise ApiError(
            Code.INVALID_ARGUMENT, f"Invalid resource name given (name={resource[:300]})."
        )
    return parts[2]
