"""A role that one of our accounts has on something."""

from dataclasses import dataclass

from worker.project.policy import Policy
from worker.provision.apis import PROJECTS_API
from worker.provision.cloud import Cloud
from worker.provision.kinds.targets import Target
from worker.provision.step import State, Step, gone


@dataclass(frozen=True, slots=True)
class Member:
    """Who gets a role. `email` is "" for Pub/Sub's service agent, which has the project's number.

    `variable` is where the script has the address.
    """

    title: str
    variable: str
    email: str = ""

    def of(self, cloud: Cloud) -> str:
        """The member, as a policy names it."""
        return f"serviceAccount:{self.email or cloud.agent()}"


@dataclass(frozen=True, slots=True)
class Grant:
    """The role, as in "pubsub.publisher". Nobody else's roles are touched."""

    role: str
    member: Member
    target: Target

    @property
    def title(self) -> str:
        """Which, and whose."""
        return f"{self.role} for {self.member.title}"

    @property
    def about(self) -> str:
        """On what."""
        return f"on {self.target.title}"

    @property
    def apis(self) -> tuple[str, ...]:
        """That of the target, and that which knows the project's number."""
        return self.target.apis if self.member.email else (*self.target.apis, PROJECTS_API)

    @property
    def _role(self) -> str:
        return f"roles/{self.role}"

    def look(self, cloud: Cloud) -> Step:
        """Whether the policy grants it."""
        if self.target.of_service and cloud.service() is None:
            return Step(self.title, State.WAITS, f"{self.about}, once it is deployed")
        policy = self.target.policy(cloud)
        if policy is None:
            return Step(self.title, State.MAKE, self.about, lambda: self._give(cloud, Policy({})))
        if self.member.of(cloud) in policy.members(self._role):
            return Step(self.title, State.THERE, self.about)
        return Step(self.title, State.MAKE, self.about, lambda: self._give(cloud, policy))

    def _give(self, cloud: Cloud, policy: Policy) -> None:
        self.target.write(cloud, policy.with_member(self._role, self.member.of(cloud)))

    def undo(self, cloud: Cloud) -> Step:
        """The role is taken away where it was given."""
        if self.target.of_service and cloud.service() is None:
            return gone(self.title)
        policy = self.target.policy(cloud)
        member = self.member.of(cloud)
        if policy is None or member not in policy.members(self._role):
            return gone(self.title)
        less = policy.without_member(self._role, member)
        return Step(self.title, State.REMOVE, self.about, lambda: self.target.write(cloud, less))

    def script(self) -> str:
        """One command, again where the account that was just made is not known everywhere yet."""
        given = f'--member="serviceAccount:${self.member.variable}" --role={self._role}'
        command = f"{self.target.command} {given} --format=none"
        if not self.target.of_service:
            return f"retry {command}"
        return f'if [[ -n "$URL" ]]; then\n  {command}\nfi'
