"""The places for rejected messages: a folder, a topic (with a fake publisher), nowhere."""

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.quarantine import BODY, QuarantineContract, Records, message, rejected
from tests.support.server import ROOT
from worker.message import PubsubMessage
from worker.pubsub import PublishFailed
from worker.quarantine import NoQuarantine, Quarantine, QuarantineFailed
from worker.quarantine.folder import FolderQuarantine
from worker.quarantine.topic import TopicQuarantine

TOPIC = "projects/demo-project/topics/quarantine"


class TestFolder(QuarantineContract):
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        return tmp_path / "not" / "there" / "yet"

    @pytest.fixture
    def quarantine(self, folder: Path) -> Quarantine:
        return FolderQuarantine(folder)

    @pytest.fixture
    def broken(self, tmp_path: Path) -> Quarantine:
        (tmp_path / "file").touch()
        return FolderQuarantine(tmp_path / "file" / "folder")  # root may write anywhere but here

    @pytest.fixture
    def records(self, folder: Path) -> Records:
        return lambda: [(str(path), json.loads(path.read_bytes())) for path in folder.iterdir()]

    @pytest.fixture
    def everything(self, folder: Path) -> Callable[[], bytes]:
        return lambda: b"".join(path.read_bytes() for path in folder.iterdir())

    def test_the_same_message_is_there_once_as_it_was_first(
        self, quarantine: Quarantine, records: Records
    ) -> None:
        first = quarantine.keep(rejected(message(delivery_attempt=1), reason="first"))
        again = quarantine.keep(rejected(message(delivery_attempt=2), reason="again"))

        ((address, record),) = records()
        assert first == again == address
        assert (record["reason"], record["delivery_attempt"]) == ("first", 1)

    def test_the_same_bytes_without_an_id_are_there_once(
        self, quarantine: Quarantine, records: Records
    ) -> None:
        for body in (BODY, BODY, b"other"):
            quarantine.keep(rejected(None, body))

        assert len(records()) == 2

    def test_a_message_id_is_no_path(self, quarantine: Quarantine, folder: Path) -> None:
        for name in ("../../escaped", "/absolute", "a/b", "." * 300, "\x00"):
            address = quarantine.keep(rejected(message(name)))
            assert Path(address).parent == folder

    def test_many_deliveries_at_once_leave_one_whole_file(
        self, quarantine: Quarantine, records: Records
    ) -> None:
        line = threading.Barrier(8)
        big = rejected(message(), body=b"x" * 1_000_000)

        def keep(_: int) -> str:
            line.wait()
            return quarantine.keep(big)

        with ThreadPoolExecutor(8) as pool:
            addresses = set(pool.map(keep, range(8)))

        ((address, record),) = records()
        assert addresses == {address}
        assert len(self.data_of(record)) == 1_000_000

    def test_a_reader_never_sees_a_part_of_a_file(
        self, quarantine: Quarantine, folder: Path
    ) -> None:
        """Another thread lists and reads as fast as it can while files are written."""
        folder.mkdir(parents=True)
        done = threading.Event()
        seen: list[int] = []

        def read() -> None:
            last = False
            while not last:
                last = done.is_set()  # and once more when all is written
                found = [json.loads(path.read_bytes()) for path in folder.glob("*.json")]
                seen.extend(len(self.data_of(record)) for record in found)

        with ThreadPoolExecutor(1) as pool:
            reader = pool.submit(read)
            for number in range(30):
                quarantine.keep(rejected(message(str(number)), body=b"x" * 300_000))
            done.set()
            reader.result()

        assert set(seen) == {300_000}

    def test_a_full_disk_fails_clearly_and_leaves_nothing(self, folder: Path) -> None:
        """In a process of its own: the limit on the size of files stands in for a full disk."""
        script = (
            "import sys; from pathlib import Path\n"
            "from tests.contracts.quarantine import message, rejected\n"
            "from worker.quarantine import QuarantineFailed\n"
            "from worker.quarantine.folder import FolderQuarantine\n"
            "try:\n"
            "    big = rejected(message(), body=b'x' * 100_000)\n"
            "    FolderQuarantine(Path(sys.argv[1])).keep(big)\n"
            "except QuarantineFailed as failed:\n"
            "    print(failed)\n"
        )

        def limit() -> None:
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

        done = subprocess.run(
            [sys.executable, "-c", script, str(folder)],
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
            preexec_fn=limit,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert done.stdout == f"cannot write to {folder}: File too large\n", done.stderr
        assert list(folder.iterdir()) == []

    def test_a_folder_that_is_gone_is_made_again(
        self, quarantine: Quarantine, folder: Path, records: Records
    ) -> None:
        Path(quarantine.keep(rejected(message("1")))).unlink()
        folder.rmdir()

        quarantine.keep(rejected(message("2")))

        assert len(records()) == 1


class FakePublisher:
    """Takes what Pub/Sub would take, and refuses what it would refuse."""

    def __init__(self) -> None:
        self.published: list[tuple[str, PubsubMessage]] = []

    def publish(self, topic: str, sent: PubsubMessage) -> str:
        assert sent.data or sent.attributes
        assert len(sent.attributes) <= 100
        for key, value in sent.attributes.items():
            assert 0 < len(key.encode()) <= 256
            assert not key.startswith("goog")
            assert len(value.encode()) <= 1024
        self.published.append((topic, sent))
        return str(len(self.published))


class TestTopic(QuarantineContract):
    @pytest.fixture
    def publisher(self) -> FakePublisher:
        return FakePublisher()

    @pytest.fixture
    def quarantine(self, publisher: FakePublisher) -> Quarantine:
        return TopicQuarantine(TOPIC, publisher.publish)

    @pytest.fixture
    def broken(self) -> Quarantine:
        def fail(topic: str, sent: PubsubMessage) -> str:
            raise PublishFailed("Pub/Sub answered 404: no such topic")

        return TopicQuarantine(TOPIC, fail)

    @pytest.fixture
    def records(self, publisher: FakePublisher) -> Records:
        return lambda: [
            (f"{topic}#{number}", record_of(sent))
            for number, (topic, sent) in enumerate(publisher.published, 1)
        ]

    @pytest.fixture
    def everything(self, publisher: FakePublisher) -> Callable[[], bytes]:
        return lambda: b"".join(
            sent.data + json.dumps(dict(sent.attributes)).encode()
            for _, sent in publisher.published
        )

    def data_of(self, record: dict[str, Any]) -> bytes:
        data = record.get("data")
        return data if isinstance(data, bytes) else super().data_of(record)

    def test_it_says_what_dead_lettering_says(
        self, quarantine: Quarantine, publisher: FakePublisher
    ) -> None:
        quarantine.keep(rejected(message()))

        ((topic, sent),) = publisher.published
        assert topic == TOPIC
        assert sent.data == message().data
        assert sent.ordering_key == "k"
        assert sent.attributes["CloudPubSubDeadLetterSourceDeliveryCount"] == "4"
        assert sent.attributes["CloudPubSubDeadLetterSourceSubscription"] == "worker-push"
        assert sent.attributes["CloudPubSubDeadLetterSourceSubscriptionProject"] == "demo"
        assert sent.attributes["colour"] == "blue"

    def test_a_long_reason_is_cut_to_what_an_attribute_holds(
        self, quarantine: Quarantine, publisher: FakePublisher
    ) -> None:
        quarantine.keep(rejected(message(), reason="é" * 2_000))

        ((_, sent),) = publisher.published
        assert sent.attributes["QuarantineReason"] == "é" * 512


def record_of(sent: PubsubMessage) -> dict[str, Any]:
    """The fields of a record, read back from a message of either kind."""
    attributes = dict(sent.attributes)
    if attributes.get("QuarantineEncoding") == "record":
        return dict(json.loads(sent.data))
    source = "CloudPubSubDeadLetterSource"
    project = attributes.pop(f"{source}SubscriptionProject")
    return {
        "data": sent.data,
        "delivery_attempt": int(attributes.pop(f"{source}DeliveryCount")),
        "subscription": f"projects/{project}/subscriptions/"
        + attributes.pop(f"{source}Subscription"),
        "publish_time": attributes.pop(f"{source}TopicPublishTime"),
        "headers": json.loads(attributes.pop("QuarantineHeaders")),
        "message_id": attributes.pop("QuarantineMessageId"),
        "reason": attributes.pop("QuarantineReason"),
        "kind": attributes.pop("QuarantineKind"),
        "time": attributes.pop("QuarantineTime"),
        "ordering_key": sent.ordering_key,
        "id": attributes.pop("QuarantineId"),
        "attributes": attributes,
    }


def test_without_a_quarantine_nothing_is_kept_and_the_message_is_nacked() -> None:
    with pytest.raises(QuarantineFailed, match="QUARANTINE=none"):
        NoQuarantine().keep(rejected(message()))
