"""Whether an account surely lacks a role: what cannot be seen here counts as granted."""

from collections.abc import Iterable, Iterator
from typing import Any

from worker.project.policy import ALL_USERS, Policy

EVERYBODY = (ALL_USERS, "allAuthenticatedUsers")
# Who may be among them is not in the policy.
_SETS = ("group:", "domain:", "principalSet:", "projectOwner:", "projectEditor:")
_BASIC = ("roles/owner", "roles/editor")

INVOKE = ("roles/run.invoker", "roles/run.servicesInvoker", "roles/run.admin", *_BASIC)
PUBLISH = ("roles/pubsub.publisher", "roles/pubsub.editor", "roles/pubsub.admin", *_BASIC)
SUBSCRIBE = ("roles/pubsub.subscriber", "roles/pubsub.editor", "roles/pubsub.admin", *_BASIC)
# Pub/Sub's agent gets the last one by itself in projects since 2021.
MAKE_TOKENS = (
    "roles/iam.serviceAccountTokenCreator",
    "roles/iam.serviceAccountOpenIdTokenCreator",
    "roles/pubsub.serviceAgent",
    "roles/owner",
)
WRITE_FILES = (
    "roles/storage.objectUser", "roles/storage.objectAdmin", "roles/storage.admin", *_BASIC,
)  # fmt: skip
USE_FIRESTORE = ("roles/datastore.user", "roles/datastore.owner", *_BASIC)


def lacks(email: str, roles: Iterable[str], *policies: Policy) -> bool:
    """Whether no policy gives this service account, or everybody, one of the roles.

    A condition, a group that may hold the account and a custom role may all grant it: then False.
    """
    wanted = frozenset(roles)
    return not any(
        _may_be_among(email, members)
        for policy in policies
        for role, members in _bindings(policy)
        if role in wanted or not role.startswith("roles/")
    )


def is_public(*policies: Policy) -> bool:
    """Whether everybody may call the service."""
    return any(
        member in EVERYBODY
        for policy in policies
        for role in INVOKE
        for member in policy.members(role)
    )


def _bindings(policy: Policy) -> Iterator[tuple[str, list[str]]]:
    for binding in policy.resource.get("bindings", []):
        found: dict[str, Any] = binding
        yield str(found.get("role", "")), list(found.get("members", []))


def _may_be_among(email: str, members: Iterable[str]) -> bool:
    own = f"serviceAccount:{email}"
    return any(one == own or one in EVERYBODY or one.startswith(_SETS) for one in members)
