"""A scenario: messages on their way, faults meanwhile, in the end a verdict on each message."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random
from typing import Any

from tests.emulator.support import PubSub
from tests.faults.audit import Kept, Verdict, audit
from tests.faults.balancer import Balancer
from tests.faults.emulated import PAIRS, Emulated
from tests.faults.figures import Row
from tests.faults.ledger import whole_lines
from tests.faults.messages import RETRY_FIRST, Fate, Kind, Sent, mixed, to_push
from tests.faults.pusher import Pusher
from tests.faults.stage import Stage
from tests.faults.waiting import wait_until
from tests.support.server import ServerProcess

SETTLE_SECONDS = 60.0


class Scenario:
    """Workers behind one address, and who pushes to it. `faults` is counted by the test."""

    def __init__(
        self, title: str, seed: int, folder: Path, stack: ExitStack, **environment: str
    ) -> None:
        self.title = title
        self.seed = seed
        self.random = Random(f"{seed} {title}")  # noqa: S311 - to be repeated, not to be secret
        self.faults = 0
        self.stage = Stage(folder, stack, **environment)
        self.balancer = stack.enter_context(Balancer())
        self.pusher = stack.enter_context(Pusher(self.balancer.port, self.random))
        self.emulated: Emulated | None = None
        self._forgotten = -1.0

    @property
    def messages(self) -> list[Sent]:
        return self.pusher.pushed + (self.emulated.published if self.emulated else [])

    def start(self, *command: str, **environment: str) -> ServerProcess:
        """Start a worker and let it have its share of the pushes."""
        worker = self.stage.start(*command, **environment)
        self.balancer.ports.append(worker.port)
        return worker

    def kill(self, worker: ServerProcess) -> None:
        """kill -9, noticed by who pushes like any dead machine."""
        self.faults += 1
        self.stage.kill(worker)
        self.balancer.ports.remove(worker.port)

    def drain(self, worker: ServerProcess) -> float:
        """SIGTERM, while pushes still come. Returns the seconds to its end."""
        self.faults += 1
        seconds = self.stage.drain(worker)
        self.balancer.ports.remove(worker.port)
        return seconds

    def emulate(self, pubsub: PubSub, **settings: Any) -> None:
        """Let the emulator push as well, with these settings of its subscriptions."""
        self.emulated = Emulated(pubsub, self.balancer.url, **settings)

    def push(self, kinds: Sequence[Kind], copies: int = 1) -> set[str]:
        """Push messages of these kinds, all at once. Returns their ids."""
        messages = to_push(kinds)
        for message in messages:
            self.pusher.push(message, copies)
        return {message.id for message in messages}

    def send(self, number: int) -> None:
        """So many messages of every kind: half are pushed, half published if there is where."""
        kinds = mixed(self.random, number)
        published = kinds[::2] if self.emulated else []
        self.push(kinds[1::2] if published else kinds)
        if self.emulated:
            self.emulated.publish(published)

    def wait_until_acked(self, ids: set[str]) -> None:
        """Wait until these, which were pushed, are acked."""
        wait_until(lambda: not ids & self.pusher.not_acked(), f"{len(ids)} messages are acked")

    def wait_until_nacked(self, ids: set[str]) -> None:
        """Wait until each of these was nacked because the store could not be used."""

        def nacked() -> set[str]:
            failed = [e for e in self.stage.canonical() if e.get("claims_error")]
            return {entry["message_id"] for entry in failed if entry["status"] == 503}

        wait_until(lambda: ids <= nacked(), f"{len(ids)} messages are nacked")

    def wait_until_running(self, handlers: int) -> None:
        """Wait until so many handlers run at the same time."""
        wait_until(lambda: len(self.stage.running()) >= handlers, f"{handlers} handlers run")

    def store_forgets(self) -> None:
        """From here on, what was done before may run again: the store has lost what it knew."""
        self._forgotten = len(whole_lines(self.stage.ledger.path)) - 0.5

    def settle(self) -> None:
        """Wait until all that can end has ended, and each nack was followed by a delivery."""
        self._wait_for_ends()
        if self.emulated:
            self.emulated.publish([RETRY_FIRST] * PAIRS)
            self._wait_for_ends()

    def end(self, kept: list[Kept] | None = None) -> Verdict:
        """Settle, decide on every message, and write down what it came to."""
        if kept is None:
            self.settle()
        self.pusher.stop()
        kept = self.stage.kept() if kept is None else kept
        with_pubsub = self.pusher.not_acked()
        if self.emulated:
            ended = self.stage.ledger.done() | {one.message_id for one in kept}
            sent = {message.id for message in self.emulated.published}
            with_pubsub |= self.emulated.handed_back(sent - ended)
        evidence = self.stage.evidence(with_pubsub, kept, self._forgotten)
        return audit(self.messages, evidence)

    def _wait_for_ends(self) -> None:
        pushed = _to_be_acked(self.pusher.pushed)
        published = _to_be_acked(self.emulated.published if self.emulated else [])

        def all_acked() -> bool:
            """Who pushes knows; of what the emulator pushes, the entries tell."""
            told = {e["message_id"] for e in self.stage.canonical() if e["status"] == 200}
            return not self.pusher.not_acked() & pushed and published <= told

        wait_until(all_acked, f"{self.title}: every message is acked", SETTLE_SECONDS)

    def row(self, verdict: Verdict) -> Row:
        """What the scenario came to."""
        return Row.of(
            self.title, self.seed, verdict,
            messages=len(self.messages),
            deliveries=len(self.stage.canonical()),
            faults=self.faults,
        )  # fmt: skip


def _to_be_acked(messages: Sequence[Sent]) -> set[str]:
    return {one.id for one in messages if one.kind.fate is not Fate.HANDED_BACK}
