"""The places where messages are held: a folder, a subscription (of a fake Pub/Sub)."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.contracts.desk import DeskContract, Opened, look
from tests.support.desk import BAD, GOOD, FakeSubscription, dead_letter, reject
from tests.support.pushes import SUBSCRIPTION
from worker.desk import DeskFailed, Place, subscription
from worker.desk.folder import FolderPlace
from worker.desk.subscription import LEASE_SECONDS, MOST, SubscriptionPlace
from worker.message import PubsubMessage, digest_id
from worker.pubsub import Received
from worker.quarantine import Quarantine
from worker.quarantine.folder import FolderQuarantine
from worker.quarantine.topic import TopicQuarantine
from worker.rest import CallFailed

HELD = "projects/demo/subscriptions/held"


class TestFolder(DeskContract):
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "quarantine"

    @pytest.fixture
    def quarantine(self, folder: Path) -> Quarantine:
        return FolderQuarantine(folder)

    @pytest.fixture
    def opened(self, folder: Path) -> Opened:
        return lambda limit=None: FolderPlace(folder, limit)

    @pytest.fixture
    def litter(self, folder: Path) -> Callable[[bytes], None]:
        folder.mkdir(exist_ok=True)

        def put(bytes_: bytes) -> None:
            (folder / f"{len(list(folder.iterdir()))}.json").write_bytes(bytes_)

        return put

    def test_the_id_is_the_one_in_the_log_and_the_name_of_the_file(
        self, folder: Path, quarantine: Quarantine, opened: Opened
    ) -> None:
        reject(quarantine)
        (file,) = folder.iterdir()
        assert [held.id for held in look(opened)] == [file.stem]

    def test_a_copy_of_a_file_is_another_message(
        self, folder: Path, quarantine: Quarantine, opened: Opened
    ) -> None:
        """One of the two may have been edited: to take them for one would lose it."""
        reject(quarantine)
        (file,) = folder.iterdir()
        (folder / "copy of it.json").write_bytes(file.read_bytes())
        with opened() as place:
            one, other = place.messages()
            assert one.id != other.id
            place.remove(one)
        assert [held.id for held in look(opened)] == [other.id]

    def test_the_count_is_in_the_record(
        self, folder: Path, quarantine: Quarantine, opened: Opened
    ) -> None:
        reject(quarantine, BAD, "17", {"replay_count": "1"})
        (file,) = folder.iterdir()
        before = json.loads(file.read_bytes())
        with opened() as place:
            (held,) = place.messages()
            place.count(held, 2)
        assert json.loads(file.read_bytes()) == {**before, "replay_count": 2}
        assert [held.replays for held in look(opened)] == [2]

    def test_records_from_before_kinds_were_written_are_read(
        self, folder: Path, quarantine: Quarantine, opened: Opened
    ) -> None:
        reject(quarantine)
        (file,) = folder.iterdir()
        record = json.loads(file.read_bytes())
        del record["kind"]
        file.write_text(json.dumps(record))
        (held,) = look(opened)
        assert (held.kind, held.foreign) == ("", False)

    def test_only_messages_are_looked_at(
        self, folder: Path, quarantine: Quarantine, opened: Opened
    ) -> None:
        reject(quarantine)
        (folder / ".x.tmp").write_bytes(b"{")
        (folder / "audit.jsonl").write_bytes(b"{}")
        (folder / "more").mkdir()
        os.mkfifo(folder / "pipe")  # to open it would wait for ever
        assert len(look(opened)) == 1

    def test_a_file_that_goes_meanwhile_is_no_error(
        self, folder: Path, quarantine: Quarantine, opened: Opened
    ) -> None:
        for number in ("1", "2"):
            reject(quarantine, BAD, number)
        with opened() as place:
            messages = iter(place.messages())
            first = next(messages)
            for file in folder.iterdir():
                file.unlink()
            assert list(messages) == []
            place.count(first, 1)
            place.remove(first)
        assert list(folder.iterdir()) == []

    def test_a_file_that_goes_just_before_it_is_read_is_none(
        self,
        folder: Path,
        quarantine: Quarantine,
        opened: Opened,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        def gone(path: Path) -> bytes:
            raise FileNotFoundError(path)

        reject(quarantine)
        monkeypatch.setattr(Path, "read_bytes", gone)
        assert look(opened) == []

    def test_a_file_that_cannot_be_read_is_shown(self, folder: Path, opened: Opened) -> None:
        folder.mkdir()
        (folder / "loop.json").symlink_to("loop.json")
        with (folder / "large.json").open("wb") as file:
            file.truncate(65 * 1024 * 1024)
        reasons = [held.reason for held in look(opened)]
        assert reasons == ["not a record of the quarantine: too large"]

    def test_a_folder_that_cannot_be_read_fails_in_one_line(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(DeskFailed, match=r"^cannot read .*: Not a directory$"):
            list(FolderPlace(tmp_path / "file").messages())


class TestSubscription(DeskContract):
    @pytest.fixture
    def source(self) -> FakeSubscription:
        return FakeSubscription()

    @pytest.fixture
    def quarantine(self, source: FakeSubscription) -> Quarantine:
        return TopicQuarantine("projects/demo/topics/quarantine", source.publish)

    @pytest.fixture
    def opened(self, source: FakeSubscription) -> Opened:
        return lambda limit=MOST: SubscriptionPlace(HELD, source, limit, sleep=lambda _: None)

    @pytest.fixture
    def litter(self, source: FakeSubscription) -> Callable[[bytes], None]:
        def put(bytes_: bytes) -> None:
            source.publish("", PubsubMessage(bytes_))

        return put

    def test_what_is_left_can_be_pulled_at_once(
        self, source: FakeSubscription, quarantine: Quarantine, opened: Opened
    ) -> None:
        for number in ("1", "2", "3"):
            reject(quarantine, BAD, number)
        with opened() as place:
            place.remove(next(iter(place.messages())))
            assert (source.left(), source.free()) == (2, 0)
        assert (source.left(), source.free()) == (2, 2)

    def test_what_was_removed_is_not_given_back(
        self, source: FakeSubscription, quarantine: Quarantine, opened: Opened
    ) -> None:
        reject(quarantine)
        given: list[str] = []
        with opened() as place:
            place.remove(next(iter(place.messages())))
            source.modify_ack_deadline = (  # type: ignore[method-assign]
                lambda ack_ids, seconds: given.extend(ack_ids)
            )
        assert given == []

    def test_it_is_kept_longer_than_the_subscriptions_deadline(
        self, source: FakeSubscription, quarantine: Quarantine, opened: Opened
    ) -> None:
        reject(quarantine)
        with opened() as place:
            list(place.messages())
            source.now += LEASE_SECONDS - 1
            assert source.free() == 0
            source.now += 1  # as if this process had been killed
            assert source.free() == 1

    def test_leases_are_renewed_as_long_as_it_is_open(
        self,
        source: FakeSubscription,
        quarantine: Quarantine,
        opened: Opened,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(subscription, "RENEW_SECONDS", 0.001)
        reject(quarantine)
        renewed = threading.Event()
        with opened() as place:
            list(place.messages())
            modify = source.modify_ack_deadline

            def watch(ack_ids: list[str], seconds: int) -> None:
                modify(ack_ids, seconds)
                if seconds == LEASE_SECONDS and ack_ids:
                    renewed.set()

            source.modify_ack_deadline = watch  # type: ignore[method-assign]
            assert renewed.wait(30)

    def test_what_comes_a_second_time_is_removed_by_its_newest_ack_id(
        self, source: FakeSubscription, quarantine: Quarantine
    ) -> None:
        reject(quarantine)

        def lapse(_: float) -> None:
            source.now += LEASE_SECONDS  # while it waits for the end of the backlog

        with SubscriptionPlace(HELD, source, sleep=lapse) as place:
            (held,) = place.messages()
            place.remove(held)
        assert source.left() == 0

    def test_an_empty_pull_is_not_the_end_of_the_backlog(
        self, source: FakeSubscription, quarantine: Quarantine, opened: Opened
    ) -> None:
        reject(quarantine, BAD, "1")
        reject(quarantine, BAD, "2")
        pull, asked = source.pull, []

        def hesitate(most: int) -> list[Received]:
            asked.append(most)
            return pull(1) if len(asked) in (2, 4) else []

        source.pull = hesitate  # type: ignore[method-assign]
        assert len(look(opened)) == 2

    def test_dead_letters_of_pubsub_are_held_as_they_are_known(
        self, source: FakeSubscription, opened: Opened
    ) -> None:
        number = source.publish("", dead_letter(json.dumps(GOOD).encode(), tenant="a"))
        (held,) = look(opened)
        assert held.id == digest_id(SUBSCRIPTION.encode(), b"", number.encode())
        assert held.reason == "dead-lettered by Pub/Sub after 5 delivery attempts"
        assert (held.kind, held.feature, held.attempts) == ("dead_lettered", "resize", 5)
        assert held.message is not None
        assert held.message.attributes == {"tenant": "a"}
        assert held.message.subscription == SUBSCRIPTION
        assert held.time is not None
        assert [again.id for again in look(opened)] == [held.id]

    def test_copies_are_one_message_with_the_highest_count(
        self, source: FakeSubscription, quarantine: Quarantine, opened: Opened
    ) -> None:
        """As after a replay straight to a worker that rejected it again."""
        for count in ("0", "2", "1"):
            reject(quarantine, BAD, "17", {"replay_count": count})
        with opened() as place:
            (held,) = place.messages()
            assert held.replays == 2
            place.remove(held)
        assert source.left() == 0

    def test_an_id_that_two_messages_claim_is_believed_of_neither(
        self, source: FakeSubscription, quarantine: Quarantine, opened: Opened
    ) -> None:
        reject(quarantine)
        (ours,) = source.published
        source.publish("", PubsubMessage(b"something else", ours.attributes))
        with opened() as place:
            one, other = place.messages()
            assert len({one.id, other.id, ours.attributes["QuarantineId"]}) == 3
            place.remove(one)
        assert [held.data for held in look(opened)] == [other.data]

    @pytest.mark.parametrize("call", ["pull", "modify_ack_deadline", "acknowledge"])
    def test_a_subscription_that_cannot_be_used_fails_in_one_line(
        self, source: FakeSubscription, quarantine: Quarantine, opened: Opened, call: str
    ) -> None:
        def fail(*_: object) -> None:
            raise CallFailed("Pub/Sub answered 403: no")

        reject(quarantine)
        setattr(source, call, fail)
        with pytest.raises(DeskFailed, match=r"Pub/Sub answered 403: no$"), opened() as place:
            place.remove(next(iter(place.messages())))
        assert source.left() == 1


def test_a_place_is_a_place() -> None:
    """mypy compares them with the protocol."""
    places: list[Place] = [FolderPlace(Path()), SubscriptionPlace(HELD, FakeSubscription())]
    assert len(places) == 2
