"""A subscription of the emulator does what every place where messages are held does."""

from collections.abc import Callable

import pytest

from tests.contracts.desk import DeskContract, Opened, look
from tests.emulator.support import PubSub
from tests.support.desk import BAD, reject
from tests.support.emulator import Emulator
from worker.desk.subscription import MOST, SubscriptionPlace
from worker.message import PubsubMessage
from worker.pubsub import PUBSUB, Publisher, Subscriber
from worker.quarantine import Quarantine
from worker.quarantine.topic import TopicQuarantine

pytestmark = pytest.mark.emulator


class TestSubscription(DeskContract):
    @pytest.fixture(autouse=True)
    def _address(self, emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(PUBSUB.emulator, emulator.host)

    @pytest.fixture
    def topic(self, pubsub: PubSub) -> str:
        return pubsub.topic("held")

    @pytest.fixture
    def subscription(self, pubsub: PubSub, topic: str) -> str:
        return pubsub.subscription(topic, "held", ackDeadlineSeconds=10)

    @pytest.fixture
    def quarantine(self, topic: str, subscription: str) -> Quarantine:
        return TopicQuarantine(topic, Publisher().publish)

    @pytest.fixture
    def opened(self, subscription: str) -> Opened:
        return lambda limit=MOST: SubscriptionPlace(subscription, Subscriber(subscription), limit)

    @pytest.fixture
    def litter(self, topic: str, subscription: str) -> Callable[[bytes], None]:
        def put(bytes_: bytes) -> None:
            Publisher().publish(topic, PubsubMessage(bytes_))

        return put

    def test_while_it_is_open_nobody_else_gets_its_messages(
        self, pubsub: PubSub, opened: Opened, quarantine: Quarantine, subscription: str
    ) -> None:
        reject(quarantine)
        with opened() as place:
            list(place.messages())
            assert pubsub.is_empty(subscription)
        assert not pubsub.is_empty(subscription)

    def test_hundreds_are_pulled_to_the_last_one(
        self, opened: Opened, quarantine: Quarantine
    ) -> None:
        for number in range(250):
            reject(quarantine, BAD, str(number))
        assert len(look(opened)) == 250
