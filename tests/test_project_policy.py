"""IAM policies: what they grant, and changes that lose nothing of what others wrote."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.project.policy import Policy

_CONDITION = {"title": "until", "expression": "request.time < timestamp('2030-01-01T00:00:00Z')"}
_MEMBERS = st.sampled_from(["user:a@example.com", "serviceAccount:b@example.com", "allUsers"])
_ROLES = st.sampled_from(["roles/run.invoker", "roles/viewer", "projects/p/roles/own"])


@st.composite
def _bindings(draw: st.DrawFn) -> dict[str, Any]:
    binding: dict[str, Any] = {
        "role": draw(_ROLES),
        "members": draw(st.lists(_MEMBERS, unique=True)),
    }
    if draw(st.booleans()):
        binding["condition"] = _CONDITION
    return binding


POLICIES = st.builds(
    lambda bindings: Policy({"version": 1, "etag": "BwY=", "bindings": bindings}),
    st.lists(_bindings(), max_size=4),
)


def test_members_of_a_role_are_those_of_all_its_bindings_without_a_condition() -> None:
    policy = Policy({"bindings": [
        {"role": "roles/viewer", "members": ["user:a@example.com"]},
        {"role": "roles/viewer", "members": ["user:b@example.com"]},
        {"role": "roles/viewer", "members": ["user:c@example.com"], "condition": _CONDITION},
        {"role": "roles/editor", "members": ["user:d@example.com"]},
        {"role": "roles/viewer"},
    ]})  # fmt: skip
    assert policy.members("roles/viewer") == {"user:a@example.com", "user:b@example.com"}


def test_everybody_is_one_of_them() -> None:
    policy = Policy({"bindings": [{"role": "roles/run.invoker", "members": ["allUsers"]}]})
    assert policy.grants("roles/run.invoker", "user:a@example.com")
    assert not policy.grants("roles/viewer", "user:a@example.com")


@pytest.mark.parametrize("resource", [{}, {"etag": "ACAB"}, {"bindings": []}])
def test_an_empty_policy_grants_nothing_and_can_be_added_to(resource: dict[str, Any]) -> None:
    policy = Policy(resource)
    assert policy.members("roles/viewer") == frozenset()
    added = policy.with_member("roles/viewer", "user:a@example.com").resource
    assert added["bindings"] == [{"role": "roles/viewer", "members": ["user:a@example.com"]}]
    assert policy.without_member("roles/viewer", "user:a@example.com").resource["bindings"] == []


@given(POLICIES, _ROLES, _MEMBERS)
def test_an_added_member_has_the_role_and_nobody_loses_one(
    policy: Policy, role: str, member: str
) -> None:
    before = copy.deepcopy(policy.resource)
    added = policy.with_member(role, member)

    assert policy.resource == before
    assert member in added.members(role)
    assert added.resource["etag"] == "BwY="
    for other in {one["role"] for one in before["bindings"]}:
        assert policy.members(other) <= added.members(other) <= policy.members(other) | {member}
    assert _conditional(added) == _conditional(policy)
    assert added.with_member(role, member) == added


@given(POLICIES, _ROLES, _MEMBERS)
def test_a_removed_member_has_no_role_and_the_others_keep_theirs(
    policy: Policy, role: str, member: str
) -> None:
    before = copy.deepcopy(policy.resource)
    removed = policy.without_member(role, member)

    assert policy.resource == before
    assert removed.members(role) == policy.members(role) - {member}
    assert _conditional(removed) == [one for one in _conditional(policy) if one["members"]]
    assert removed.resource["etag"] == "BwY="
    assert all(one["members"] for one in removed.resource["bindings"])


@given(POLICIES, _ROLES, _MEMBERS)
def test_a_policy_with_a_condition_is_written_as_version_3(
    policy: Policy, role: str, member: str
) -> None:
    for changed in (policy.with_member(role, member), policy.without_member(role, member)):
        assert changed.resource["version"] == (3 if _conditional(changed) else 1)


def _conditional(policy: Policy) -> list[dict[str, Any]]:
    return [one for one in policy.resource["bindings"] if "condition" in one]
