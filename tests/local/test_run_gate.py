"""Who may call the service: what IAM says at the door, and what comes of a push that it refuses."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.support.push_delivery import PushCloud, target_of
from worker.local.pubsub.push.front import SERVER, Front
from worker.local.run.gate import Gate, Refusal, origin
from worker.local.run.policy import INVOKER, ServicePolicy
from worker.local.testing import LocalCloud, running_cloud

SERVICE = "projects/demo/locations/europe-west1/services/feature-worker"
URL = "http://127.0.0.1:8080"
REQUESTS = "projects/demo/logs/run.googleapis.com%2Frequests"
PUSHER = "feature-worker-push@demo.iam.gserviceaccount.com"
MEMBER = f"serviceAccount:{PUSHER}"


@pytest.fixture
def policy(tmp_path: Path) -> Iterator[ServicePolicy]:
    opened = ServicePolicy(tmp_path, SERVICE)
    yield opened
    opened.close()


def allow(policy: ServicePolicy, *members: str, role: str = INVOKER, **more: Any) -> None:
    policy.set({"bindings": [{"role": role, "members": list(members), **more}]})


def ask(policy: ServicePolicy, account: str = PUSHER, audience: str = URL) -> int:
    """The status of the refusal; 200 where the push is let in."""
    refusal = Gate(policy, lambda: URL, ["custom"]).refuses(f"{URL}/", account, audience)
    return 200 if refusal is None else refusal.status


def test_a_public_service_asks_for_no_token(policy: ServicePolicy) -> None:
    assert ask(policy, "", "") == 200
    assert ask(policy, "anybody@example.com", "elsewhere") == 200


@pytest.mark.parametrize(
    ("member", "status"),
    [
        (MEMBER, 200),
        ("allAuthenticatedUsers", 200),
        ("serviceAccount:other@demo.iam.gserviceaccount.com", 403),
        (f"user:{PUSHER}", 403),
    ],
)
def test_the_account_of_the_push_needs_to_be_an_invoker(
    policy: ServicePolicy, member: str, status: int
) -> None:
    allow(policy, member)
    assert ask(policy) == status


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("roles/run.invoker", 200),
        ("roles/run.servicesInvoker", 200),
        ("roles/run.admin", 200),
        ("roles/run.viewer", 403),
    ],
)
def test_some_roles_let_in(policy: ServicePolicy, role: str, status: int) -> None:
    allow(policy, MEMBER, role=role)
    assert ask(policy) == status


def test_a_grant_with_a_condition_grants_nothing(policy: ServicePolicy) -> None:
    allow(policy, MEMBER, condition={"title": "later", "expression": "false"})
    assert ask(policy) == 403


def test_a_push_without_a_token_is_not_let_in(policy: ServicePolicy) -> None:
    allow(policy, MEMBER, "allAuthenticatedUsers")
    assert ask(policy, account="") == 403


@pytest.mark.parametrize(
    ("audience", "status"),
    [(URL, 200), (f"{URL}/", 200), (f"{URL}/push", 200), ("custom", 200), ("other", 401),
     ("http://127.0.0.1:8081/", 401), ("http://[", 401), ("", 401)],
)  # fmt: skip
def test_the_token_is_to_be_for_this_service(
    policy: ServicePolicy, audience: str, status: int
) -> None:
    allow(policy, MEMBER)
    assert ask(policy, audience=audience) == status


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8081/", "https://127.0.0.1:8080/", "http://["]
)
def test_what_is_not_the_service_is_not_asked_about(policy: ServicePolicy, endpoint: str) -> None:
    policy.set({})
    assert Gate(policy, lambda: URL, []).refuses(endpoint, "", "") is None
    assert Gate(policy, lambda: URL, []).refuses(f"{URL}/any/path", "", "") is not None


@pytest.mark.parametrize(
    ("url", "found"),
    [(f"{URL}/a?b", URL), ("http://[::1]:80/", "http://[::1]:80"), ("nonsense", ""), ("", "")],
)
def test_the_origin_of_an_address(url: str, found: str) -> None:
    assert origin(url) == found


def test_a_policy_holds_after_a_restart(tmp_path: Path) -> None:
    first = ServicePolicy(tmp_path, SERVICE)
    allow(first, MEMBER)
    first.close()
    second = ServicePolicy(tmp_path, SERVICE)
    try:
        assert (ask(second), ask(second, account="")) == (200, 403)
        assert second.get()["bindings"] == [{"role": INVOKER, "members": [MEMBER]}]
    finally:
        second.close()


def test_without_an_audience_the_token_is_for_the_endpoint() -> None:
    asked: list[tuple[str, str, str]] = []
    front = Front()

    def gate(endpoint: str, account: str, audience: str) -> None:
        asked.append((endpoint, account, audience))

    front.guard(gate)
    for audience in ("", "mine"):
        front.refuses(target_of(f"{URL}/push", service_account=PUSHER, audience=audience))
    assert asked == [(f"{URL}/push", PUSHER, f"{URL}/push"), (f"{URL}/push", PUSHER, "mine")]


def test_a_push_that_is_refused_is_a_nack_that_the_worker_never_saw(tmp_path: Path) -> None:
    with PushCloud(tmp_path) as cloud:
        cloud.pusher.guard(lambda *_: Refusal(403, "no entry"))
        cloud.subscribe("http://127.0.0.1:1/")  # nobody listens there
        message_id = cloud.publish()
        (attempt,) = cloud.ended()
        assert (attempt.status, attempt.result, attempt.ending) == (403, "nack", "nack")
        assert attempt.reason == "no entry"
        assert attempt.response_headers["server"] == SERVER
        assert "no entry" in attempt.response_body
        delivery = cloud.deliveries.find(attempt.subscription, message_id)
        assert delivery is not None
        assert delivery.outcome == "nack"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with running_cloud(tmp_path_factory.mktemp("cloud"), {"CLAIMS": "memory"}) as running:
        yield running


def set_policy(cloud: LocalCloud, *members: str) -> None:
    bindings = [{"role": INVOKER, "members": list(members)}]
    body = {"policy": {"bindings": bindings if members else []}}
    requests.post(f"{cloud.url}v2/{SERVICE}:setIamPolicy", json=body, timeout=30).raise_for_status()


@pytest.mark.server
def test_a_push_waits_outside_until_its_account_may_come_in(cloud: LocalCloud) -> None:
    set_policy(cloud)
    with cloud._cloud.logs.listen() as news:
        message_id = cloud.publish("smoke_test")
        entries = iter(lambda: news.get(timeout=30), None)
        refused = next(one for one in entries if one["logName"] == REQUESTS)
    assert refused["httpRequest"]["status"] == 403
    assert refused["httpRequest"]["requestUrl"] == f"{cloud.worker_url}/"
    assert refused["httpRequest"]["userAgent"].startswith("APIs-Google")
    assert refused["severity"] == "WARNING"
    assert refused["textPayload"].startswith("The request was not authenticated.")
    assert cloud.entries(message_id=message_id) == []
    set_policy(cloud, MEMBER)
    cloud.advance(60)
    assert cloud.outcome(message_id)["outcome"] == "done"
    set_policy(cloud, "allUsers")


@pytest.mark.server
def test_the_running_worker_is_the_service(cloud: LocalCloud) -> None:
    service = requests.get(f"{cloud.url}v2/{SERVICE}", timeout=30).json()
    assert service["uri"] == cloud.worker_url
    assert service["latestReadyRevision"] == service["latestCreatedRevision"]
    shown = {one["name"]: one["value"] for one in service["template"]["containers"][0]["env"]}
    assert (shown["PUSH_AUTH"], shown["CLAIMS"]) == ("none", "memory")
    assert shown.keys().isdisjoint({"PATH", "PORT"})  # not the worker's, and Cloud Run's own
    (entry,) = cloud.entries('jsonPayload.event="server.listening"')
    labels = entry["resource"]["labels"]
    assert service["latestReadyRevision"] == f"{SERVICE}/revisions/{labels['revision_name']}"
    for name in ("RUN", "MONITORING", "LOGGING"):
        assert cloud.environment[f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"] == cloud.url
