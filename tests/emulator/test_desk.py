"""The quarantine desk at Pub/Sub: quarantined by a real worker, mended, replayed, done."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.emulator.support import Entries, Gcloud, PubSub
from tests.support.cli import KEPT
from tests.support.emulator import Emulator
from tests.support.server import ROOT, WAIT_SECONDS, ServerProcess
from tests.support.standin import Call, Reply, StandIn

pytestmark = pytest.mark.emulator

HELD_TOPIC = "projects/demo/topics/desk-quarantine"
HELD = "projects/demo/subscriptions/desk-quarantine-reader"
GREET = {"feature": "greet", "description": "hello"}
TYPO = {"feature": "smoke_test", "requirements": {"nonse": "n-1"}}
HANDLER = '''\
"""greet: the handler that was missing."""

from worker import Context, feature


@feature("greet")
def greet(context: Context) -> None:
    """Say so once for each message that it handles."""
    context.log.info("greet.done", attributes=dict(context.message.attributes))
'''


class Desk:
    """`python -m worker quarantine` where the mended handlers are."""

    def __init__(self, folder: Path, host: str) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None
        self._environment = {name: os.environ[name] for name in KEPT if name in os.environ}
        self._environment |= {"PYTHONPATH": str(ROOT), "PUBSUB_EMULATOR_HOST": host}

    def __call__(self, name: str, *words: str, place: str = HELD, code: int = 0) -> str:
        """What it prints; it must end with this code."""
        ended, out, err = self.end(name, *words, "--from", place)
        assert ended == code, out + err
        return out

    def end(self, *words: str, host: str = "") -> tuple[int, str, str]:
        there = {"PUBSUB_EMULATOR_HOST": host} if host else {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "worker", "quarantine", *words],
            cwd=self.folder, env=self._environment | there, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode, out, err

    def asked(self, name: str, *words: str, code: int = 0, place: str = HELD) -> Any:
        return json.loads(self(name, *words, "--json", place=place, code=code))

    def audit(self) -> list[dict[str, Any]]:
        text = (self.folder / "quarantine-audit.jsonl").read_text()
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(scope="module")
def settings(emulator: Emulator) -> dict[str, str]:
    return {"QUARANTINE": f"topic:{HELD_TOPIC}", "PUBSUB_EMULATOR_HOST": emulator.host}


@pytest.fixture(scope="module")
def old(
    settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    prepare: Callable[[Path], Path],
) -> Iterator[ServerProcess]:
    """The worker that was deployed without the handler."""
    with ServerProcess(prepare(tmp_path_factory.mktemp("old")), settings) as running:
        yield running


@pytest.fixture(scope="module")
def mended(
    settings: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    prepare: Callable[[Path], Path],
) -> Iterator[ServerProcess]:
    """The one that is deployed after it."""
    folder = prepare(tmp_path_factory.mktemp("mended"))
    (folder / "handlers" / "greet.py").write_text(HANDLER)
    with ServerProcess(folder, settings) as running:
        yield running


@pytest.fixture
def held(pubsub: PubSub) -> str:
    """An empty quarantine topic and its only subscription."""
    pubsub.topic(HELD_TOPIC)
    return pubsub.subscription(HELD_TOPIC, HELD)


@pytest.fixture
def desk(folder: Path, emulator: Emulator, held: str) -> Desk:
    (folder / "handlers" / "greet.py").write_text(HANDLER)
    return Desk(folder, emulator.host)


@pytest.fixture
def without(tmp_path: Path, prepare: Callable[[Path], Path]) -> Path:
    """A folder for a server, without the handler."""
    (tmp_path / "without").mkdir()
    return prepare(tmp_path / "without")


class Shop:
    """A topic that pushes to the old worker, then to the mended one."""

    def __init__(self, pubsub: PubSub, old: ServerProcess, mended: ServerProcess) -> None:
        self.topic = pubsub.topic("shop")
        self.subscription = pubsub.push(self.topic, old.url, "shop")
        self._pubsub = pubsub
        self._old = old
        self._mended = mended

    def rejected(self, payload: Any = GREET, attributes: dict[str, str] | None = None) -> str:
        """Publish what the old worker rejects; the id."""
        message_id = self._pubsub.publish(self.topic, payload, attributes)
        assert Entries(self._old).wait(message_id)["jsonPayload"]["outcome"] == "rejected"
        return message_id

    def lapse(self, ack_ids: list[str]) -> None:
        """What a killed process has pulled comes back at once, not only half a minute later."""
        if not ack_ids:  # it was killed before
            return
        give_back = {"ackIds": ack_ids, "ackDeadlineSeconds": 0}
        self._pubsub.call("POST", f"{HELD}:modifyAckDeadline", give_back)

    def greeted(self, published: set[str], keys: list[str]) -> list[str]:
        """Whom the mended worker has greeted, once it has seen all that was published."""
        for message_id in published:
            Entries(self._mended).wait(message_id)
        return greeted(self._mended, keys)

    def deploy(self) -> None:
        config = {"pushConfig": {"pushEndpoint": self._mended.url}}
        self._pubsub.call("POST", f"{self.subscription}:modifyPushConfig", config)


@pytest.fixture
def shop(pubsub: PubSub, old: ServerProcess, mended: ServerProcess, held: str) -> Shop:
    return Shop(pubsub, old, mended)


def greeted(server: ServerProcess, keys: list[str]) -> list[str]:
    """Which of these the handler had, each time that it had them."""
    done = [entry for entry in server.entries() if entry.get("event") == "greet.done"]
    return [key for entry in done if (key := entry["attributes"].get("key")) in keys]


def replayed_as(desk: Desk) -> list[str]:
    """The ids under which messages were published again."""
    return [entry["answer"].removeprefix("published as ") for entry in desk.audit()]


def test_what_was_rejected_is_replayed_to_its_topic_and_done(
    desk: Desk, shop: Shop, mended: ServerProcess
) -> None:
    first = shop.rejected(GREET, {"tenant": "a"})
    typo = shop.rejected(TYPO)
    groups = {group["feature"]: group for group in desk.asked("list")["groups"]}
    assert {name: group["count"] for name, group in groups.items()} == {"greet": 1, "smoke_test": 1}
    assert groups["smoke_test"]["reason"] == "bad payload: requirements.nonse: unknown field"
    shown = desk.asked("show", groups["greet"]["ids"][0])
    assert (shown["message_id"], shown["payload"], shown["attributes"]) == (
        first, GREET, {"tenant": "a"},
    )  # fmt: skip
    assert f'jsonPayload.message_id="{first}"' in shown["logs_query"]
    assert desk("check", code=1).startswith("1 of 2 would pass now\n")

    shop.deploy()
    assert "nothing was sent; 1 would be" in desk("replay", "--all", "--to", shop.topic)
    assert "replayed 1 of 1" in desk("replay", "--all", "--to", shop.topic, "--yes")
    (again,) = replayed_as(desk)
    assert again != first
    entries = Entries(mended)
    assert entries.wait(again)["jsonPayload"]["outcome"] == "done"
    (done,) = entries.of(again, "greet.done")
    attributes = done["jsonPayload"]["attributes"]
    assert attributes["replay_count"] == "1"
    assert attributes["tenant"] == "a"
    assert attributes["idempotency_key"] == f"replay-{shown['id']}"
    assert set(attributes) == {"replay_count", "tenant", "idempotency_key"}

    (left,) = desk.asked("list")["groups"]
    assert desk.asked("show", left["ids"][0])["message_id"] == typo
    assert "dropped 1 of 1" in desk("drop", "--all", "--yes")
    assert desk("list") == f"0 messages in {HELD}\n"


def test_what_was_rejected_is_replayed_straight_to_a_worker_and_done(
    desk: Desk, shop: Shop, mended: ServerProcess
) -> None:
    message_id = shop.rejected()
    shop.deploy()
    assert "done (200)" in desk("replay", "--all", "--to", mended.url, "--yes")
    canonical = Entries(mended).wait(message_id)["jsonPayload"]
    assert (canonical["outcome"], canonical["subscription"]) == ("done", shop.subscription)
    assert desk("list") == f"0 messages in {HELD}\n"


def test_what_keeps_coming_back_is_refused_in_the_end(
    desk: Desk, shop: Shop, old: ServerProcess
) -> None:
    """The old worker rejects it again and again; its quarantine topic tells how often."""
    shop.rejected()
    for count in (1, 2, 3):
        assert "rejected (200)" in desk("replay", "--all", "--to", old.url, "--yes", code=1)
        (group,) = desk.asked("list")["groups"]
        assert desk.asked("show", group["ids"][0])["replays"] == count
    (desk.folder / "quarantine-audit.jsonl").unlink()  # it is known without
    refused = desk("replay", "--all", "--to", old.url, "--yes", code=1)
    assert "refused: replayed 3 times already" in refused
    desk("drop", "--all", "--yes")
    assert desk("list") == f"0 messages in {HELD}\n"


def test_a_replay_to_a_topic_that_comes_back_is_counted(
    desk: Desk, shop: Shop, old: ServerProcess
) -> None:
    shop.rejected()
    for count in (1, 2, 3):
        desk("replay", "--all", "--to", shop.topic, "--yes")
        Entries(old).wait(replayed_as(desk)[-1], outcome="rejected")
        (group,) = desk.asked("list")["groups"]
        assert desk.asked("show", group["ids"][0])["replays"] == count
    assert "refused: " in desk("replay", "--all", "--to", shop.topic, "--yes", code=1)


def test_what_pubsub_itself_dead_lettered_is_replayed_and_done(
    desk: Desk, pubsub: PubSub, without: Path, stack: ExitStack, mended: ServerProcess
) -> None:
    """By a worker that has neither a quarantine nor the handler: it nacks five times."""
    nacking = stack.enter_context(ServerProcess(without, {"QUARANTINE": "none"}))
    dead_topic = pubsub.topic("dead")
    dead = pubsub.subscription(dead_topic, "dead")
    topic = pubsub.topic()
    policy = {"deadLetterTopic": dead_topic, "maxDeliveryAttempts": 5}
    subscription = pubsub.push(topic, nacking.url, deadLetterPolicy=policy)
    keys = ["to a worker", "to the topic"]
    for key in keys:
        pubsub.publish(topic, GREET, {"key": key})
    group = wait_for_group(desk, dead, count=2)
    assert group["reason"] == "dead-lettered by Pub/Sub after 5 delivery attempts"
    assert (group["feature"], group["attempts"]) == ("greet", 5)
    shown = desk.asked("show", group["ids"][0], place=dead)
    assert shown["subscription"] == subscription
    assert f'jsonPayload.subscription="{subscription}"' in shown["logs_query"]
    assert sorted(desk.asked("check", place=dead)["doubtful"]) == sorted(group["ids"])

    one, other = group["ids"]
    pubsub.call(
        "POST", f"{subscription}:modifyPushConfig", {"pushConfig": {"pushEndpoint": mended.url}}
    )
    assert "done (200)" in desk("replay", one, "--to", mended.url, "--yes", place=dead)
    desk("replay", other, "--to", topic, "--yes", place=dead)
    Entries(mended).wait(replayed_as(desk)[-1], outcome="done")
    assert sorted(greeted(mended, keys)) == keys
    assert desk("list", place=dead) == f"0 messages in {dead}\n"


def wait_for_group(desk: Desk, place: str, count: int) -> dict[str, Any]:
    """Look until so many have arrived: pytest's timeout ends it."""
    while True:
        for group in desk.asked("list", place=place)["groups"]:
            if group["count"] == count:
                return dict(group)


def test_something_else_on_the_subscription_stays_there(
    desk: Desk, pubsub: PubSub, mended: ServerProcess
) -> None:
    pubsub.publish(HELD_TOPIC, GREET, {"from": "somebody"})
    (group,) = desk.asked("list")["groups"]
    assert group["reason"].startswith("not a quarantined message")
    desk("replay", "--all", "--to", mended.url, "--yes")
    desk("replay", *group["ids"], "--to", mended.url, "--yes", code=1)
    assert "1 that are no quarantined messages stay" in desk("drop", "--all", "--yes")
    assert desk.asked("list")["groups"] == [group]


class Between:
    """The emulator with somebody in between, who ends the desk at the `at`th call of a method."""

    def __init__(self, host: str, desk: Desk, point: str, how: signal.Signals) -> None:
        self._host = host
        self._desk = desk
        self._point = point
        self._how = how
        self.ended = False
        self.pulled: list[str] = []  # ack ids
        self.published: list[str] = []  # message ids

    def __call__(self, call: Call) -> Reply:
        method = call.path.rpartition(":")[2]
        self._end(f"before {method}")
        answer = requests.post(
            f"http://{self._host}{call.path}", data=call.body, timeout=WAIT_SECONDS,
            headers={"content-type": "application/json"},
        )  # fmt: skip
        self.pulled += [one["ackId"] for one in answer.json().get("receivedMessages", [])]
        self.published += answer.json().get("messageIds", [])
        self._end(f"after {method}")
        return Reply(answer.status_code, answer.content, {"Content-Type": "application/json"})

    def _end(self, point: str) -> None:
        if not self.ended and self._point == point:
            self.ended = True
            assert self._desk.process is not None
            self._desk.process.send_signal(self._how)


KILLED = [
    (f"{when} {method}", signal.SIGKILL)
    for method in ("pull", "modifyAckDeadline", "publish", "acknowledge")
    for when in ("before", "after")
]
INTERRUPTED = [
    (point, signal.SIGINT) for point in ("after pull", "after publish", "before acknowledge")
]


@pytest.mark.parametrize(("point", "how"), KILLED + INTERRUPTED)
def test_ended_at_any_call_nothing_is_lost_and_nothing_is_handled_twice(
    desk: Desk, shop: Shop, emulator: Emulator, point: str, how: signal.Signals
) -> None:
    keys = [f"{how.name} {point} {number}" for number in (1, 2)]
    for key in keys:
        shop.rejected(GREET, {"key": key})
    shop.deploy()
    words = ("replay", "--all", "--to", shop.topic, "--from", HELD, "--yes")
    between = Between(emulator.host, desk, point, how)
    with StandIn(between) as proxy:
        code, out, err = desk.end(*words, host=proxy.address)
    assert between.ended
    assert code == (130 if how == signal.SIGINT else -signal.SIGKILL), out + err
    if how == signal.SIGKILL:
        shop.lapse(between.pulled)

    code, out, err = desk.end(*words)
    assert code == 0, out + err
    assert desk("list") == f"0 messages in {HELD}\n"
    assert sorted(shop.greeted({*between.published, *replayed_as(desk)}, keys)) == keys


def test_real_gcloud_sees_what_the_desk_leaves(desk: Desk, shop: Shop, gcloud: Gcloud) -> None:
    message_id = shop.rejected()
    desk("list")
    name = HELD.rpartition("/")[2]
    pulled = gcloud(
        "subscriptions", "pull", name, "--auto-ack",
        "--format=value(message.attributes.QuarantineMessageId)",
    )  # fmt: skip
    assert pulled == message_id
