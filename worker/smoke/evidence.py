"""Everything that is known when no entry came: the one value that the rungs judge.

What could not be had is Unknown, and says why. What is not there is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from worker.desk.held import Held
from worker.project.policy import Policy
from worker.smoke.processed import Processed
from worker.smoke.question import Question, Sent

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A fact that nobody could tell. One line."""

    why: str = "it was not asked"


@dataclass(frozen=True, slots=True)
class Reached:
    """What a request from here to the endpoint came to; `status` is 0 where nobody answered."""

    status: int
    why: str = ""


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the subscription, as Cloud Monitoring saw it last."""

    messages: int
    oldest: datetime | None  # aware: when the oldest of them was published
    time: datetime  # aware: of what is said here


@dataclass(frozen=True, slots=True)
class Evidence:
    """See the module. Requests and refusals are those since the message was sent."""

    question: Question
    sent: Sent
    processed: tuple[Processed, ...] = ()  # of this message, by whatever service, oldest first
    refused: tuple[Processed, ...] = ()  # of any message: a refused one has no id
    requests: tuple[Json, ...] | Unknown = Unknown()  # of the request log: httpRequest
    errors: tuple[str, ...] = ()  # what else the service logged as an error
    subscription: Json | Unknown | None = Unknown()
    service: Json | Unknown | None = Unknown()
    revision: Json | Unknown | None = Unknown()  # the one that was asked for, else the newest
    service_policy: Policy | Unknown = Unknown()
    project_policy: Policy | Unknown = Unknown()
    reached: Reached | Unknown = Unknown()
    responses: Mapping[str, int] | Unknown = Unknown()  # pushes by response_class
    backlog: Backlog | Unknown | None = Unknown()
    dead: Held | Unknown | None = Unknown()  # our message in the dead-letter subscription
    sinks: tuple[Json, ...] | Unknown = Unknown()

    @property
    def ours(self) -> tuple[Processed, ...]:
        """The canonical entries of the message by the service that was asked."""
        name = self.question.deployment.service
        return tuple(one for one in self.processed if one.service == name)

    @property
    def last(self) -> Processed | None:
        """How its last delivery ended."""
        return self.ours[-1] if self.ours else None

    @property
    def elsewhere(self) -> str:
        """The other service that got the message, "" where none did."""
        others = {one.service for one in self.processed} - {self.question.deployment.service}
        return min(others, default="")

    @property
    def arrived(self) -> bool:
        """Whether the message came to the worker: then all before it holds."""
        by_worker = self.sent.answer is not None and bool(self.sent.answer.outcome)
        return bool(self.ours) or (by_worker and not self.turned_away)

    @property
    def turned_away(self) -> bool:
        """Whether the url's answer is that of a worker that does not take the push."""
        return self.sent.answer is not None and self.sent.answer.outcome == "refused"

    @property
    def push_config(self) -> Json:
        """Of the subscription; empty where it does not push, or is not known."""
        found = _json(self.subscription).get("pushConfig")
        return found if isinstance(found, Mapping) else {}

    @property
    def endpoint(self) -> str:
        """Where the subscription pushes to, "" for nowhere."""
        return str(self.push_config.get("pushEndpoint", ""))

    @property
    def token_account(self) -> str:
        """The e-mail address of the account whose token the pushes carry, "" for no token."""
        token = self.push_config.get("oidcToken")
        return str(token.get("serviceAccountEmail", "")) if isinstance(token, Mapping) else ""

    @property
    def service_url(self) -> str:
        """Where the service is, "" where that is not known."""
        return str(_json(self.service).get("uri", ""))

    def statuses(self) -> list[int]:
        """Of the requests to the service."""
        if isinstance(self.requests, Unknown):
            return []
        return [int(one.get("status", 0)) for one in self.requests]


def _json(fact: Json | Unknown | None) -> Json:
    return fact if isinstance(fact, Mapping) else {}
