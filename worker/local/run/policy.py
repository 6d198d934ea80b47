"""Who may call the service: its IAM policy, kept in the folder of the state, and asked at a push.

Sources: google.iam.v1.Policy; Cloud Run, access control with IAM.
"""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.iam.v1 import policy_pb2  # type: ignore[import-untyped]  # ships no types
from google.protobuf import json_format

from worker.local.database import Database
from worker.local.errors import ApiError, Code

INVOKER = "roles/run.invoker"
# Those that hold run.routes.invoke.
_INVOKING = frozenset({INVOKER, "roles/run.servicesInvoker", "roles/run.admin"})
_EVERYBODY, _SIGNED_IN = "allUsers", "allAuthenticatedUsers"
_MEMBER = re.compile(
    r"allUsers|allAuthenticatedUsers"
    r"|(user|serviceAccount|group|domain|projectOwner|projectEditor|projectViewer|deleted"
    r"|principal|principalSet):\S+"
)
_SCHEMA = "CREATE TABLE policy (resource TEXT PRIMARY KEY, body BLOB NOT NULL)"

Json = dict[str, Any]


class ServicePolicy:
    """The policy of one service; at first everybody may call it. Safe to share by threads.

    Raises StateUnusable.
    """

    def __init__(self, folder: Path, resource: str) -> None:
        self._resource = resource
        self._database = Database(folder / "run.sqlite3", _SCHEMA)
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT body FROM policy WHERE resource = ?", (resource,)
            ).fetchone()
        self._keep(policy_pb2.Policy.FromString(row["body"]) if row else _public())

    def get(self) -> Json:
        """The policy, with the etag that a change of it wants."""
        shown: Json = json_format.MessageToDict(self._policy)
        return shown

    def set(self, wanted: Any) -> Json:
        """The policy as it is kept; it holds for the next push.

        Raises ApiError for what is no policy; ABORTED if it was changed since its etag was read.
        """
        policy = _read(wanted)
        etag, policy.etag = policy.etag, b""
        policy.version = policy.version or 1
        policy.etag = hashlib.sha256(policy.SerializeToString()).digest()[:8]
        with self._database.write() as connection:
            if etag and etag != self._policy.etag:
                raise ApiError(
                    Code.ABORTED,
                    "There were concurrent policy changes."
                    " Please retry the whole read-modify-write with exponential backoff.",
                )
            row = (self._resource, policy.SerializeToString())
            connection.execute("REPLACE INTO policy VALUES (?, ?)", row)
            self._keep(policy)
        return self.get()

    def lets_everybody_in(self) -> bool:
        """Whether no token is asked for."""
        return _EVERYBODY in self._invokers

    def lets_in(self, account: str) -> bool:
        """Whether a service account (its email) may call the service."""
        members = {_EVERYBODY, _SIGNED_IN, f"serviceAccount:{account}"}
        return not self._invokers.isdisjoint(members)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _keep(self, policy: Any) -> None:
        """Remember it, and who may call: conditions are not evaluated, so they grant nothing."""
        self._policy = policy
        self._invokers = frozenset(
            member
            for binding in policy.bindings
            if binding.role in _INVOKING and not binding.HasField("condition")
            for member in binding.members
        )


def _public() -> Any:
    policy = policy_pb2.Policy(version=1)
    policy.bindings.add(role=INVOKER, members=[_EVERYBODY])
    policy.etag = hashlib.sha256(policy.SerializeToString()).digest()[:8]
    return policy


def _read(wanted: Any) -> Any:
    """Raises ApiError naming the place that is wrong."""
    if not isinstance(wanted, Mapping):
        raise ApiError(Code.INVALID_ARGUMENT, "policy is missing: want an object")
    try:
        policy = json_format.ParseDict(wanted, policy_pb2.Policy())
    except (json_format.ParseError, ValueError, TypeError, RecursionError):
        raise ApiError(Code.INVALID_ARGUMENT, "policy: want a google.iam.v1.Policy") from None
    for number, binding in enumerate(policy.bindings):
        if not binding.role.partition("roles/")[1]:
            raise ApiError(
                Code.INVALID_ARGUMENT, f"policy.bindings[{number}].role: want roles/NAME"
            )
        if not all(map(_MEMBER.fullmatch, binding.members)):
            raise ApiError(
                Code.INVALID_ARGUMENT,
                f"policy.bindings[{number}].members: want allUsers, or KIND:ID such as"
                " serviceAccount:EMAIL",
            )
    return policy
