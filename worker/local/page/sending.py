"""What the Publish page sends, to the topic or straight to the worker, and what became of it."""

import itertools
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.client.deliver import Answer, Unreachable, check_url, deliver
from worker.client.forms import NOT_CARRIED, CannotSend, Delivery, request_of
from worker.local.page.site import Site
from worker.local.pubsub.push.records import Delivery as Delivered
from worker.message import Form, PubsubMessage

SHOWN = 10  # messages of a batch that are shown one by one
_KEPT = 50  # batches whose state can still be asked for
_SECONDS = 30.0  # for which a page waits for copies that go straight to the worker
FINAL = frozenset({"done", "duplicate", "rejected", "ack"})  # not delivered again


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that were published together."""

    number: int
    topic: str
    ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class Progress:
    """What has become of a batch. `shown` are its first messages, None what is not yet pushed."""

    batch: Batch
    outcomes: Counter[str]
    shown: Sequence[tuple[str, Delivered | None]]

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to any of them."""
        return all(outcome in FINAL for outcome in self.outcomes)


class Batches:
    """The batches that were published last. Safe to share by threads."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._numbers = itertools.count(1)
        self._kept: OrderedDict[int, Batch] = OrderedDict()
        self._lock = threading.Lock()

    def publish(self, content: PubsubMessage, count: int) -> Batch:
        """Publish so many copies. Raises ApiError; what was published before that stays."""
        topic = self._site.topic
        ids = [self._site.publish(topic, content) for _ in range(count)]
        with self._lock:
            batch = Batch(next(self._numbers), topic, ids)
            self._kept[batch.number] = batch
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return batch

    def progress(self, number: int) -> Progress | None:
        """What has become of it by now; None for one that is no longer kept."""
        with self._lock:
            batch = self._kept.get(number)
        if batch is None:
            return None
        find = self._site.deliveries.find
        found = [(one, find(self._site.subscription, one)) for one in batch.ids]
        outcomes = Counter((one.outcome or "pending") if one else "pending" for _, one in found)
        return Progress(batch, outcomes, found[:SHOWN])


@dataclass(slots=True)
class Direct:
    """What the worker answered. `trouble` says why no more copies were sent, "" if all were."""

    form: Form
    answers: list[Answer] = field(default_factory=list)
    trouble: str = ""

    @property
    def outcomes(self) -> Counter[str]:
        """How often which outcome was answered; a status where it was no answer of a worker."""
        return Counter(one.outcome or f"status {one.status}" for one in self.answers)


def push(site: Site, form: Form, content: PubsubMessage, count: int) -> Direct:
    """Deliver copies straight to the worker, one after the other, each with an id of its own."""
    direct = Direct(form)
    until = time.monotonic() + _SECONDS
    try:
        url = check_url(_worker_of(site))
        for _ in range(count):
            delivery = _delivery(site, form, content)
            direct.answers.append(deliver(url, request_of(form, delivery)))
            if time.monotonic() > until:
                raise Unreachable(f"stopped after {_SECONDS:.0f} s: publish through the topic")  # noqa: TRY301 - one way out
    except (CannotSend, Unreachable) as error:
        direct.trouble = str(error).replace("--form wrapped", "the form wrapped")
    return direct


def _worker_of(site: Site) -> str:
    url = site.worker_url()
    if not url:
        raise Unreachable("no worker serves now: see what it said in the terminal, or in the logs")
    return url


def _delivery(site: Site, form: Form, content: PubsubMessage) -> Delivery:
    lost = NOT_CARRIED.get(form, frozenset())
    given = {"attributes": content.attributes, "ordering_key": content.ordering_key}
    if names := sorted(name.replace("_", " ") for name in lost if given.get(name)):
        raise CannotSend(f"a push of the form {form} carries no {' and no '.join(names)}")
    return Delivery(
        content.data,
        content.attributes,
        ordering_key=content.ordering_key,
        subscription=site.subscription,
    )
