"""An IAM policy: who may do what to a resource. Source: google.iam.v1.Policy."""

import copy
from dataclasses import dataclass
from typing import Any, Self

ALL_USERS = "allUsers"
_VERSION = 3  # one with conditions survives being read and written only as version 3


@dataclass(frozen=True, slots=True)
class Policy:
    """The policy as the API wrote it. What has a condition is kept, and is no grant."""

    resource: dict[str, Any]

    def members(self, role: str) -> frozenset[str]:
        """Who has the role without any condition, as in "serviceAccount:NAME@..."."""
        return frozenset(
            member
            for binding in self.resource.get("bindings", [])
            if binding.get("role") == role and "condition" not in binding
            for member in binding.get("members", [])
        )

    def grants(self, role: str, member: str) -> bool:
        """Whether this member, or everybody, has the role."""
        return not self.members(role).isdisjoint({member, ALL_USERS})

    def with_member(self, role: str, member: str) -> Self:
        """The policy with this grant added; its etag is kept, so that no other change is lost."""
        changed = copy.deepcopy(self.resource)
        bindings = changed.setdefault("bindings", [])
        for binding in bindings:
            if binding.get("role") == role and "condition" not in binding:
                if member not in binding.setdefault("members", []):
                    binding["members"].append(member)
                break
        else:
            bindings.append({"role": role, "members": [member]})
        return self._with(changed)

    def without_member(self, role: str, member: str) -> Self:
        """The policy without this grant."""
        changed = copy.deepcopy(self.resource)
        for binding in changed.get("bindings", []):
            if binding.get("role") == role and "condition" not in binding:
                binding["members"] = [one for one in binding.get("members", []) if one != member]
        changed["bindings"] = [one for one in changed.get("bindings", []) if one.get("members")]
        return self._with(changed)

    def _with(self, changed: dict[str, Any]) -> Self:
        if any("condition" in one for one in changed.get("bindings", [])):
            changed["version"] = _VERSION
        return type(self)(changed)
