"""What is kept of messages that failed: the same questions to dead letters and to quarantine."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding
from worker.doctor.live.commands import change_subscription, gcloud, list_held
from worker.doctor.live.names import readers, short
from worker.doctor.live.snapshot import Json, Live, known
from worker.doctor.live.subscription import expires_after, retention_seconds

_SHORT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Held:
    """A topic that keeps messages for people: each has to have a subscription that stays."""

    topic: str  # `projects/P/topics/T`
    subscriptions: tuple[Json, ...]  # those of the project

    @classmethod
    def of(cls, topic: str, live: Live) -> "Held":
        """The topic and its subscriptions. Raises Skipped where they are not known."""
        return cls(topic, tuple(readers(topic, known(live.subscriptions))))


def unread(check: Check, held: Held, deployment: Deployment) -> Iterator[Finding]:
    """A finding when nobody keeps what is published; another project's topic is its own affair."""
    project = held.topic.split("/")[1]
    if held.subscriptions or project != deployment.project:
        return
    words = ("pubsub", "subscriptions", "create", short(held.topic), f"--topic={held.topic}")
    flags = (f"--project={project}", "--expiration-period=never")
    retention = f"--message-retention-duration={deployment.dead_letter_retention_days}d"
    fix = gcloud(*words, *flags, retention)
    yield found(check, held.topic, "no subscription of this project keeps its messages", fix)


def expires(check: Check, held: Held) -> Iterator[Finding]:
    """A finding when none of the subscriptions stays for good."""
    if held.subscriptions and all(expires_after(one) for one in held.subscriptions):
        name = str(held.subscriptions[0]["name"])
        what = f"it expires after {expires_after(held.subscriptions[0])} without activity"
        yield found(check, name, what, change_subscription(name, "--expiration-period=never"))


def keeps_briefly(check: Check, held: Held, deployment: Deployment) -> Iterator[Finding]:
    """A finding when none keeps messages for as long as a holiday."""
    kept = max((retention_seconds(one) for one in held.subscriptions), default=_SHORT_SECONDS)
    if kept < _SHORT_SECONDS:
        name = str(held.subscriptions[0]["name"])
        flag = f"--message-retention-duration={deployment.dead_letter_retention_days}d"
        yield found(check, name, f"it keeps messages {kept:g} s", change_subscription(name, flag))


def waiting(check: Check, held: Held, live: Live) -> Iterator[Finding]:
    """A finding for each of the subscriptions in which messages wait."""
    counts = known(live.held)
    for one in held.subscriptions:
        name = str(one["name"])
        if counts.get(name):
            yield found(check, name, f"{counts[name]} messages wait", list_held(name))


def looks(
    of: Callable[[Live, Deployment], Held], checks: tuple[Check, Check, Check, Check]
) -> Mapping[Check, Callable[[Live, Deployment], Iterator[Finding]]]:
    """The four questions to what `of` finds; `checks` in the order unread, expires, brief, waiting.

    What `of` raises is raised when a question is asked.
    """
    no_reader, expiring, brief, full = checks
    return {
        no_reader: lambda live, asked: unread(no_reader, of(live, asked), asked),
        expiring: lambda live, asked: expires(expiring, of(live, asked)),
        brief: lambda live, asked: keeps_briefly(brief, of(live, asked), asked),
        full: lambda live, asked: waiting(full, of(live, asked), live),
    }
