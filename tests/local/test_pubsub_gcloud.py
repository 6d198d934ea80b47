"""The real gcloud, unmodified, and the commands of its `pubsub` group."""

import json
import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulator.support import Gcloud
from tests.local.test_pubsub_clients import Cloud, served

pytestmark = pytest.mark.tools


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with served(tmp_path_factory.mktemp("pubsub")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def gcloud(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Gcloud:
    path = shutil.which("gcloud")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("gcloud is not installed, and CI must not skip this", pytrace=False)
    if path is None:
        pytest.skip("skipped: gcloud is not installed")
    return Gcloud(path, f"127.0.0.1:{cloud.web_port}", tmp_path_factory.mktemp("gcloud"))


def shown(gcloud: Gcloud, *arguments: str) -> Any:
    return json.loads(gcloud(*arguments, "--format=json"))


def test_gcloud_publishes_pulls_and_seeks(gcloud: Gcloud) -> None:
    gcloud("topics", "create", "orders", "--message-retention-duration=1h", "--labels=team=a")
    (made,) = shown(
        gcloud,
        "subscriptions", "create", "orders-pull", "--topic=orders", "--ack-deadline=20",
        "--dead-letter-topic=features-dead", "--max-delivery-attempts=7", "--min-retry-delay=1s",
        "--max-retry-delay=10s", "--enable-message-ordering", "--message-filter=attributes:color",
        "--expiration-period=never", "--retain-acked-messages",
    )  # fmt: skip
    assert made["deadLetterPolicy"] == {
        "deadLetterTopic": "projects/demo/topics/features-dead",
        "maxDeliveryAttempts": 7,
    }
    assert made["retryPolicy"] == {"minimumBackoff": "1s", "maximumBackoff": "10s"}
    assert (made["ackDeadlineSeconds"], made["expirationPolicy"]) == (20, {})
    assert made["topicMessageRetentionDuration"] == "3600s"

    message_id = gcloud.publish("orders", "höre", "--attribute=color=red", "--ordering-key=k")
    (pulled,) = shown(gcloud, "subscriptions", "pull", "orders-pull", "--auto-ack")
    gcloud("subscriptions", "seek", "orders-pull", "--time=2020-01-01T00:00:00Z")
    (again,) = shown(gcloud, "subscriptions", "pull", "orders-pull", "--auto-ack")
    assert pulled["message"] == again["message"]
    assert pulled["message"]["messageId"] == message_id
    assert pulled["message"]["attributes"] == {"color": "red"}


def test_gcloud_changes_detaches_and_deletes(gcloud: Gcloud) -> None:
    (made,) = shown(
        gcloud,
        "subscriptions", "create", "jobs-push", "--topic=features",
        "--push-endpoint=http://127.0.0.1:1/", "--push-no-wrapper",
        "--push-no-wrapper-write-metadata", "--push-auth-service-account=push@demo.iam",
        "--push-auth-token-audience=aud",
    )  # fmt: skip
    assert made["pushConfig"] == {
        "pushEndpoint": "http://127.0.0.1:1/",
        "noWrapper": {"writeMetadata": True},
        "oidcToken": {"serviceAccountEmail": "push@demo.iam", "audience": "aud"},
    }
    gcloud("subscriptions", "update", "jobs-push", "--ack-deadline=30", "--update-labels=a=b")
    gcloud("subscriptions", "modify-push-config", "jobs-push", "--push-endpoint=")
    gcloud("snapshots", "create", "jobs-before", "--subscription=jobs-push")
    described = shown(gcloud, "subscriptions", "describe", "jobs-push")
    assert (described["ackDeadlineSeconds"], described["labels"]) == (30, {"a": "b"})
    assert described["pushConfig"] == {}

    member = ("--member=user:a@example.com", "--role=roles/pubsub.publisher")
    policy = shown(gcloud, "topics", "add-iam-policy-binding", "features", *member)
    assert policy["bindings"] == [
        {"members": ["user:a@example.com"], "role": "roles/pubsub.publisher"}
    ]
    gcloud("topics", "detach-subscription", "jobs-push")
    gcloud("subscriptions", "delete", "jobs-push")
    assert shown(gcloud, "topics", "list-subscriptions", "features") == []
