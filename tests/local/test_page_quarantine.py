"""The Quarantine page: what is held, whether it would pass now, replays and drops."""

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from tests.browser.shopping import environment
from tests.browser.stage import Stage, stage
from tests.support.cli import nobody
from tests.support.desk import FakeSubscription, dead_letter, reject
from tests.support.standin import Call, Reply, StandIn
from worker.desk.folder import AUDIT
from worker.local.page.desk import Desk
from worker.local.page.processes import CommandFailed
from worker.quarantine.folder import FolderQuarantine

EVIL = "<script>alert(1)</script>"


@dataclass
class Held:
    """A page, the folder of its worker's quarantine, and the worker that answers."""

    stage: Stage
    folder: Path
    worker: StandIn

    def get(self, path: str = "/quarantine") -> TestResponse:
        return self.stage.app.test_client().get(path)

    def post(self, step: str, *ids: str, **more: str) -> TestResponse:
        values = {"step": step, "id": list(ids), "to": self.worker.url, **more}
        return self.stage.app.test_client().post("/quarantine", data=values)

    def keep(self, payload: object, message_id: str, tenant: str = "a") -> str:
        """Hold a message that a worker rejected. Returns its id."""
        before = set(self.ids())
        reject(FolderQuarantine(self.folder), payload, message_id, {"tenant": tenant})
        (added,) = set(self.ids()) - before
        return added

    def ids(self) -> list[str]:
        return [path.stem for path in sorted(self.folder.glob("sha256-*.json"))]


def answering(call: Call) -> Reply:
    """A worker that handles smoke_test, and rejects the rest."""
    data = base64.b64decode(call.json()["message"]["data"])
    done = json.loads(data)["feature"] == "smoke_test"
    outcome, reason = ("done", "handled by it") if done else ("rejected", "still wrong")
    return Reply.json({"outcome": outcome, "reason": reason, "message_id": "1"})


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    with (
        StandIn(answering) as worker,
        stage(tmp_path, environment=environment(tmp_path), worker_url=lambda: worker.url) as made,
    ):
        yield Held(made, tmp_path / "quarantine", worker)


def row_of(shown: TestResponse, held_id: str) -> str:
    """The row of a message, as text."""
    rows = re.findall("<tr>.*?</tr>", shown.text, re.DOTALL)
    (row,) = [row for row in rows if f'value="{held_id}"' in row]
    return " ".join(re.sub("<[^>]*>", " ", row).split())


def test_an_empty_quarantine_tells_what_would_come_there(held: Held) -> None:
    shown = held.get()
    assert shown.status_code == 200
    assert "Nothing is held here" in shown.text


def test_a_message_is_listed_with_what_todays_worker_says(held: Held) -> None:
    passing = held.keep({"feature": "smoke_test"}, "1")
    failing = held.keep({"feature": "resize_image", "requirements": {"width": 5}}, "2")
    shown = held.get()
    assert "no handler is registered for smoke_test" in row_of(shown, passing)
    assert "would pass" in row_of(shown, passing)
    assert "bad payload: requirements.source: missing" in row_of(shown, failing)
    assert "2 messages" in shown.text
    assert "1 would pass now" in shown.text


def test_what_its_handler_rejected_may_be_rejected_again(held: Held) -> None:
    unlucky = held.keep({"feature": "resize", "requirements": {"width": 13}}, "1")
    record = held.folder / f"{unlucky}.json"
    body = json.loads(record.read_text())
    body["body"] = base64.b64encode(
        base64.b64decode(body["body"]).replace(
            base64.b64encode(b'{"feature": "resize", "requirements": {"width": 13}}'),
            base64.b64encode(b'{"feature": "smoke_test"}'),
        )
    ).decode()
    record.write_text(json.dumps(body))
    assert "the handler may reject it again" in row_of(held.get(), unlucky)


def test_a_file_that_is_no_message_is_listed_as_what_it_is(held: Held) -> None:
    held.folder.mkdir()
    (held.folder / "notes.txt").write_text("milk")
    shown = held.get()
    assert "not a record of the quarantine: not JSON" in shown.text
    assert "no message" in shown.text


def test_one_message_is_shown_whole(held: Held) -> None:
    one = held.keep({"feature": "enlarge", "description": EVIL}, "7", tenant=EVIL)
    shown = held.get(f"/quarantine/{one}?from=folder")
    assert shown.status_code == 200
    assert "no handler is registered for enlarge" in shown.text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown.text
    assert EVIL not in shown.text
    assert "gcloud logging read" in shown.text


@pytest.mark.parametrize("one", ["sha256-0000", "--help", "nonsense", "sha256-%00", "a b"])
def test_a_message_that_is_not_there_is_one_line(held: Held, one: str) -> None:
    shown = held.get(f"/quarantine/{one}")
    assert shown.status_code == 404
    assert "That did not work." in shown.text


def test_those_that_pass_are_replayed_and_the_rest_stays(held: Held) -> None:
    held.keep({"feature": "smoke_test"}, "1")
    stays = held.keep({"feature": "enlarge"}, "2")
    shown = held.post("replay_all")
    assert shown.status_code == 200
    assert "done (200): handled by it" in shown.text
    assert "replayed 1 of 1" in shown.text
    assert "not among these: 1 that would be rejected again" in shown.text
    assert held.ids() == [stays]
    (call,) = held.worker.calls
    assert call.json()["message"]["messageId"] == "1"


def test_a_chosen_message_that_is_rejected_again_stays_and_counts(held: Held) -> None:
    one = held.keep({"feature": "enlarge"}, "1")
    shown = held.post("replay", one)
    assert shown.status_code == 200
    assert "rejected (200): still wrong" in shown.text
    assert "1 stay in folder:" in shown.text
    assert held.ids() == [one]
    assert row_of(shown, one).endswith(" 1"), "the replays are counted"


def test_a_drop_asks_first(held: Held) -> None:
    one, other = (held.keep({"feature": "enlarge"}, number) for number in ("1", "2"))
    asked = held.post("drop", one)
    assert "Drop 1 message for good?" in asked.text
    assert held.ids() == sorted([one, other])
    shown = held.post("drop", one, sure="1")
    assert "dropped 1 of 1" in shown.text
    assert held.ids() == [other]
    assert one in (held.folder / AUDIT).read_text()


@pytest.mark.parametrize("step", ["replay", "drop"])
def test_nothing_happens_when_nothing_is_chosen(held: Held, step: str) -> None:
    held.keep({"feature": "smoke_test"}, "1")
    shown = held.post(step, sure="1")
    assert shown.status_code == 422
    assert "no message is chosen" in shown.text
    assert len(held.ids()) == 1
    assert held.worker.calls == []


@pytest.mark.parametrize(
    ("step", "ids", "more", "why"),
    [
        (
            "replay",
            ["sha256-00"],
            {"to": "http://127.0.0.1:1/"},
            "there is no such worker any more",
        ),
        ("replay", ["--all"], {}, "that is no id of a held message"),
        ("drop", ["--all"], {"sure": "1"}, "that is no id of a held message"),
        ("explode", [], {}, "there is no such step"),
    ],
)
def test_what_no_button_says_is_refused(
    held: Held, step: str, ids: list[str], more: dict[str, str], why: str
) -> None:
    one = held.keep({"feature": "smoke_test"}, "1")
    shown = held.post(step, *ids, **more)
    assert shown.status_code in (400, 422)
    assert why in shown.text
    assert held.ids() == [one]
    assert held.worker.calls == []


def test_a_drop_of_nothing_is_never_a_drop_of_everything(held: Held) -> None:
    one = held.keep({"feature": "smoke_test"}, "1")
    desk = Desk(held.stage.site)
    with pytest.raises(CommandFailed, match="no message is chosen"):
        desk.drop(desk.spots()[0], [])
    assert held.ids() == [one]


def test_handlers_that_cannot_be_loaded_leave_the_list(tmp_path: Path) -> None:
    broken = environment(tmp_path, HANDLERS="no_such_handlers")
    with StandIn(answering) as worker, stage(tmp_path, environment=broken) as made:
        held = Held(made, tmp_path / "quarantine", worker)
        one = held.keep({"feature": "smoke_test"}, "1")
        shown = held.get()
    assert "The handlers cannot be loaded" in shown.text
    assert "unknown" in row_of(shown, one)


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ("none", "QUARANTINE=none: no folder holds anything"),
        ("topic:projects/demo/topics/quarantine", "no folder holds anything"),
        ("nonsense", "QUARANTINE is &#39;nonsense&#39; (want"),
    ],
)
def test_a_quarantine_that_is_no_folder_is_explained(
    tmp_path: Path, setting: str, why: str
) -> None:
    with stage(tmp_path, environment=environment(tmp_path, QUARANTINE=setting)) as made:
        shown = made.app.test_client().get("/quarantine")
    assert shown.status_code == 200
    assert why in shown.text


# dead letters


class RestSubscription:
    """The REST methods of a pull subscription, over the fake."""

    def __init__(self) -> None:
        self.fake = FakeSubscription()

    def __call__(self, call: Call) -> Reply:
        body, method = call.json(), call.path.rpartition(":")[2]
        if method == "acknowledge":
            self.fake.acknowledge(body["ackIds"])
        if method == "modifyAckDeadline":
            self.fake.modify_ack_deadline(body["ackIds"], body["ackDeadlineSeconds"])
        if method != "pull":
            return Reply.json({})
        pulled = [
            {
                "ackId": one.ack_id,
                "message": {
                    "messageId": one.id,
                    "data": base64.b64encode(one.message.data).decode(),
                    "attributes": dict(one.message.attributes),
                },
            }
            for one in self.fake.pull(body["maxMessages"])
        ]
        return Reply.json({"receivedMessages": pulled})


def test_dead_letters_are_listed_replayed_and_given_back(tmp_path: Path) -> None:
    letters = RestSubscription()
    letters.fake.publish("dead", dead_letter(b'{"feature": "smoke_test"}'))
    letters.fake.publish("dead", dead_letter(b'{"feature": "enlarge"}'))
    with StandIn(letters) as pubsub, StandIn(answering) as worker:
        ours = environment(tmp_path, PUBSUB_EMULATOR_HOST=pubsub.address)
        with stage(tmp_path, environment=ours, worker_url=lambda: worker.url) as made:
            held = Held(made, tmp_path / "quarantine", worker)
            shown = held.get("/quarantine?from=dead")
            assert "dead-lettered by Pub/Sub after 5 delivery attempts" in shown.text
            assert "2 messages" in shown.text
            assert letters.fake.free() == 2, "they were given back"
            replayed = held.post("replay_all", **{"from": "dead"})
            assert "replayed 1 of 1" in replayed.text
    assert letters.fake.left() == 1
    assert (tmp_path / "dead-letters-audit.jsonl").exists()


def test_a_pubsub_that_is_gone_is_one_line(tmp_path: Path) -> None:
    with nobody() as address, stage(
        tmp_path, environment=environment(tmp_path, PUBSUB_EMULATOR_HOST=address)
    ) as made:  # fmt: skip
        shown = made.app.test_client().get("/quarantine?from=dead")
    assert shown.status_code == 200
    assert "cannot pull from projects/demo/subscriptions/feature-worker-dead" in shown.text
    assert "Traceback" not in shown.text
