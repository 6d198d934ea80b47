"""Pub/Sub in the fake: kept by it, or by an emulator that it hands calls on to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.google.support import Gcloud
from tests.support.emulator import PUBSUB, Emulator, find_installation
from tests.support.google import FakeGoogle
from worker.message import PubsubMessage
from worker.project.google import Google, Json
from worker.project.project import Project
from worker.pubsub import Publisher, Subscriber

TOPIC = "projects/demo-project/topics/features"
SUBSCRIPTION = "projects/demo-project/subscriptions/feature-worker"
PUSHER = "push@example.com"

pytestmark = [pytest.mark.emulator, pytest.mark.timeout(300)]  # gcloud is started many times


@pytest.fixture
def emulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    """The fake in front of Google's emulator."""
    found = find_installation(PUBSUB)
    assert found is not None, "the test lacks the marker `emulator`"
    with Emulator(found, tmp_path) as emulator, FakeGoogle(pubsub=emulator.host) as google:
        for name, value in google.environment.items():
            monkeypatch.setenv(name, value)
        yield google


CREATE = (
    "pubsub", "subscriptions", "create", "feature-worker", "--topic=features",
    "--push-endpoint=https://one.example/", f"--push-auth-service-account={PUSHER}",
    "--push-auth-token-audience=https://one.example", "--ack-deadline=10", "--min-retry-delay=10s",
    "--max-retry-delay=600s", "--dead-letter-topic=dead", "--max-delivery-attempts=20",
    "--expiration-period=never",
)  # fmt: skip
GRANT = ("--member=user:a@example.com", "--role=roles/pubsub.subscriber")


def made(gcloud: Gcloud, project: Project) -> Json:
    """Our topics and our subscription, made and read."""
    gcloud("pubsub", "topics", "create", "features", "dead", "--labels=managed-by=feature-worker")
    assert (project.topic(TOPIC) or {})["labels"] == {"managed-by": "feature-worker"}
    gcloud(*CREATE)
    subscription = project.subscription(SUBSCRIPTION)
    assert subscription is not None
    assert subscription["pushConfig"]["oidcToken"] == {
        "serviceAccountEmail": PUSHER, "audience": "https://one.example",
    }  # fmt: skip
    assert subscription["deadLetterPolicy"]["maxDeliveryAttempts"] == 20
    assert "ttl" not in subscription["expirationPolicy"]
    return subscription


def granted(gcloud: Gcloud, project: Project) -> None:
    gcloud("pubsub", "subscriptions", "add-iam-policy-binding", "feature-worker", *GRANT)
    policy = project.pubsub_policy(SUBSCRIPTION)
    assert policy.grants("roles/pubsub.subscriber", "user:a@example.com")


def test_gcloud_keeps_topics_and_subscriptions_in_the_fake(
    google: FakeGoogle, gcloud: Gcloud, project: Project
) -> None:
    before = made(gcloud, project)
    assert "already exists" in gcloud.refused("pubsub", "topics", "create", "features")
    gcloud("pubsub", "subscriptions", "update", "feature-worker", "--ack-deadline=60")
    after = project.subscription(SUBSCRIPTION)
    assert after == {**before, "ackDeadlineSeconds": 60}
    gcloud("pubsub", "subscriptions", "update", "feature-worker",
           "--push-endpoint=https://two.example/")  # fmt: skip
    dropped = project.subscription(SUBSCRIPTION)
    assert (dropped or {})["pushConfig"] == {"pushEndpoint": "https://two.example/"}  # no token

    granted(gcloud, project)
    assert "NOT_FOUND" in gcloud.refused(
        "pubsub", "topics", "add-iam-policy-binding", "nowhere", *GRANT
    )
    gcloud("pubsub", "topics", "delete", "features")
    assert google.resources["pubsub", SUBSCRIPTION]["topic"] == "_deleted-topic_"
    gcloud("pubsub", "subscriptions", "delete", "feature-worker")
    assert project.subscription(SUBSCRIPTION) is None
    assert ("pubsub", SUBSCRIPTION) not in google.policies


def test_the_emulator_behind_the_fake_has_the_messages_and_the_fake_the_policies(
    emulated: FakeGoogle,
) -> None:
    project = Project(emulated.project, Google())
    gcloud = Gcloud(emulated)
    made(gcloud, project)
    granted(gcloud, project)
    assert ("pubsub", SUBSCRIPTION) not in emulated.resources
    assert ("pubsub", SUBSCRIPTION) in emulated.policies

    gcloud("pubsub", "subscriptions", "modify-push-config", "feature-worker", "--push-endpoint=")
    message_id = Publisher().publish(TOPIC, PubsubMessage(b"hello", {}, ""))
    (received,) = Subscriber(SUBSCRIPTION).pull(1)
    assert (received.id, received.message.data) == (message_id, b"hello")
    gcloud("pubsub", "subscriptions", "delete", "feature-worker")
    assert ("pubsub", SUBSCRIPTION) not in emulated.policies
