"""What is known of a deployment at one moment: each answer, or why there is none."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from worker.doctor.live.questions import Question
from worker.project.policy import Policy

Json = dict[str, Any]
Answer = TypeVar("Answer")
_DURATION = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?s")


class Skipped(Exception):
    """A check cannot be made: what it looks at is not there, or could not be read."""


@dataclass(frozen=True, slots=True)
class Unread:
    """There is no answer. `status` is that of HTTP, 0 when nothing was answered."""

    question: Question
    reason: str
    status: int


Read: TypeAlias = Answer | Unread


@dataclass(frozen=True, slots=True)
class Live:
    """All that the checks look at. None stands for what is not there."""

    number: Read[str]
    policy: Read[Policy]
    enabled: Read[frozenset[str]]  # the names of APIs
    topic: Read[Json | None]
    subscription: Read[Json | None]
    subscription_policy: Read[Policy | None]
    subscriptions: Read[list[Json]]  # all of the project
    service: Read[Json | None]
    service_policy: Read[Policy | None]
    serving: Read[Json | None]  # the revision with the most traffic
    alerts: Read[list[Json]]  # those that provision made
    push_account: Read[Json | None]
    push_account_policy: Read[Policy | None]
    dead_letter_topic: Read[Json | None]
    dead_letter_policy: Read[Policy | None]
    quarantine_topic: Read[Json | None]
    quarantine_policy: Read[Policy | None]
    database: Read[Json | None]
    ttl: Read[Json | None]  # the field expires_at of the claims
    bucket: Read[Json | None]  # of the artifacts
    bucket_policy: Read[Policy | None]
    held: Read[Mapping[str, int]]  # subscription -> messages that wait in it
    oldest_seconds: Read[float]  # age of the oldest message of the push subscription
    pushes: Read[Mapping[str, int]]  # class of the answer -> pushes, lately

    def unread(self) -> Iterator[Unread]:
        """What could not be read."""
        for field in dataclasses.fields(self):
            answer = getattr(self, field.name)
            if isinstance(answer, Unread):
                yield answer


def known(answer: Read[Answer]) -> Answer:
    """The answer. Raises Skipped without one."""
    if isinstance(answer, Unread):
        raise Skipped
    return answer


def there(answer: Read[Answer | None]) -> Answer:
    """What the answer is about. Raises Skipped where that is not there, or could not be read."""
    found = known(answer)
    if found is None:
        raise Skipped
    return found


def seconds_of(duration: object) -> float:
    """Seconds in a duration as Google writes it, "600s". Raises Skipped for anything else."""
    if not _DURATION.fullmatch(str(duration)):
        raise Skipped
    return float(str(duration).removesuffix("s"))
