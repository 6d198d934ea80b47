"""Cloud Run's API of the laptop cloud: the service, its revisions, and their state."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.support.anything import JSON
from worker.local.run.place import Place
from worker.local.run.policy import ServicePolicy
from worker.local.run.rest import blueprint
from worker.local.run.revisions import Revisions

PARENT = "/v2/projects/demo/locations/europe-west1/services"
SERVICE = f"{PARENT}/feature-worker"
NAME = SERVICE.removeprefix("/v2/")
URL = "http://127.0.0.1:8080"
ONE, TWO, THREE = (f"feature-worker-0000{number}-dev" for number in (1, 2, 3))


class Time:
    """A second later each time that it is asked."""

    def __init__(self) -> None:
        self.seconds = 1_800_000_000.0  # 2027-01-15T08:00:00Z

    def __call__(self) -> float:
        self.seconds += 1
        return self.seconds


@pytest.fixture
def revisions() -> Revisions:
    return Revisions(Time())


@pytest.fixture
def policy(tmp_path: Path) -> Iterator[ServicePolicy]:
    opened = ServicePolicy(tmp_path, NAME)
    yield opened
    opened.close()


@pytest.fixture
def client(revisions: Revisions, policy: ServicePolicy) -> FlaskClient:
    app = flask.Flask("test")
    app.register_blueprint(blueprint(Place("demo"), revisions, policy, ["feature-worker"]))
    return app.test_client()


def get(client: FlaskClient, path: str = SERVICE) -> dict[str, Any]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.json
    return dict(answer.get_json())


def ready(revisions: Revisions, name: str) -> None:
    revisions.begin(name, {"PUSH_AUTH": "none"})
    revisions.ready(f"{URL}/", 16)


def states(client: FlaskClient) -> dict[str, str]:
    """The short names of the revisions, newest first, and whether they are ready."""
    found = get(client, f"{SERVICE}/revisions")["revisions"]
    return {one["name"].rpartition("/")[2]: one["conditions"][0]["state"] for one in found}


def named(service: dict[str, Any], which: str) -> str:
    """The short name of its latestReadyRevision or latestCreatedRevision."""
    full: str = service[f"latest{which}Revision"]
    assert full in ("", f"{NAME}/revisions/{full.rpartition('/')[2]}")
    return full.rpartition("/")[2]


def test_a_service_that_serves_is_ready_and_says_where(
    client: FlaskClient, revisions: Revisions
) -> None:
    ready(revisions, ONE)
    service = get(client)
    assert (service["name"], service["uri"], service["urls"]) == (NAME, URL, [URL])
    assert (named(service, "Ready"), named(service, "Created")) == (ONE, ONE)
    terminal = service["terminalCondition"]
    assert (terminal["type"], terminal["state"]) == ("Ready", "CONDITION_SUCCEEDED")
    assert {one["state"] for one in service["conditions"]} == {"CONDITION_SUCCEEDED"}
    assert service["reconciling"] is False
    assert service["ingress"] == "INGRESS_TRAFFIC_ALL"
    assert service["customAudiences"] == ["feature-worker"]
    assert service["createTime"] == "2027-01-15T08:00:01.000000Z"
    (status,) = service["trafficStatuses"]
    assert (status["revision"], status["percent"]) == (ONE, 100)


def test_a_template_has_what_the_worker_was_started_with(
    client: FlaskClient, revisions: Revisions
) -> None:
    ready(revisions, ONE)
    template = get(client)["template"]
    assert template["containers"][0]["env"] == [{"name": "PUSH_AUTH", "value": "none"}]
    assert template["maxInstanceRequestConcurrency"] == 16
    assert template["timeout"] == "3600s"
    revision = get(client, f"{SERVICE}/revisions/{ONE}")
    assert revision["name"] == f"{NAME}/revisions/{ONE}"
    assert {name: revision[name] for name in template} == template


def test_a_worker_that_starts_is_not_ready_yet(client: FlaskClient, revisions: Revisions) -> None:
    revisions.begin(ONE, {})
    revisions.watch(lambda: None)
    service = get(client)
    assert service["terminalCondition"]["state"] == "CONDITION_RECONCILING"
    assert service["reconciling"] is True
    assert named(service, "Ready") == ""
    assert "uri" not in service
    assert "maxInstanceRequestConcurrency" not in service["template"]


def test_a_worker_that_does_not_start_leaves_the_one_before_as_the_latest_ready(
    client: FlaskClient, revisions: Revisions
) -> None:
    ready(revisions, ONE)
    revisions.retire()
    revisions.stopped(0)
    revisions.begin(TWO, {})
    revisions.watch(lambda: 2)
    service = get(client)
    assert (named(service, "Created"), named(service, "Ready")) == (TWO, ONE)
    terminal = service["terminalCondition"]
    assert (terminal["state"], terminal["severity"]) == ("CONDITION_FAILED", "ERROR")
    assert "exit code 2" in terminal["message"]
    assert terminal["revisionReason"] == "HEALTH_CHECK_CONTAINER_ERROR"
    assert service["uri"] == URL
    assert states(client) == {TWO: "CONDITION_FAILED", ONE: "CONDITION_FAILED"}


def test_the_first_worker_that_does_not_start_leaves_none(
    client: FlaskClient, revisions: Revisions
) -> None:
    revisions.begin(ONE, {})
    revisions.stopped(2)
    service = get(client)
    assert (named(service, "Created"), named(service, "Ready")) == (ONE, "")
    assert "exit code 2" in service["terminalCondition"]["message"]
    assert "revision" not in service["trafficStatuses"][0]


def test_a_worker_that_died_is_not_ready_any_more(
    client: FlaskClient, revisions: Revisions
) -> None:
    ready(revisions, ONE)
    revisions.watch(lambda: -9)
    service = get(client)
    assert service["terminalCondition"]["state"] == "CONDITION_FAILED"
    assert "ended by itself, killed by signal 9" in service["terminalCondition"]["message"]
    assert named(service, "Ready") == ""


def test_a_worker_that_died_before_it_was_stopped_has_failed(
    client: FlaskClient, revisions: Revisions
) -> None:
    ready(revisions, ONE)
    revisions.watch(lambda: 1)
    revisions.retire()
    revisions.stopped(1)
    assert "exit code 1" in get(client)["terminalCondition"]["message"]


def test_a_worker_that_was_stopped_is_retired_and_has_not_failed(
    client: FlaskClient, revisions: Revisions
) -> None:
    ended: list[int] = []
    ready(revisions, ONE)
    revisions.watch(lambda: ended[0] if ended else None)
    revisions.retire()
    ended.append(0)
    service = get(client)
    assert service["terminalCondition"]["revisionReason"] == "RETIRED"
    assert named(service, "Ready") == ONE


def test_only_the_newest_hundred_revisions_are_kept(
    client: FlaskClient, revisions: Revisions
) -> None:
    for number in range(101):
        revisions.begin(f"feature-worker-{number:05d}-dev", {})
    found = list(states(client))
    assert (found[0], found[-1]) == ("feature-worker-00100-dev", "feature-worker-00001-dev")


@pytest.mark.parametrize("location", ["europe-west1", "-"])
def test_services_are_listed(client: FlaskClient, revisions: Revisions, location: str) -> None:
    path = f"/v2/projects/demo/locations/{location}/services"
    assert get(client, path) == {"services": []}
    ready(revisions, ONE)
    assert get(client, path) == {"services": [get(client)]}


@pytest.mark.parametrize(
    "path",
    [
        f"{PARENT}/other",
        "/v2/projects/other/locations/europe-west1/services/feature-worker",
        "/v2/projects/demo/locations/us-central1/services/feature-worker",
        f"{SERVICE}/revisions/{TWO}",
        f"{PARENT}/other/revisions",
        f"{PARENT}/other:getIamPolicy",
    ],
)
def test_what_is_not_there_is_not_found(
    client: FlaskClient, revisions: Revisions, path: str
) -> None:
    ready(revisions, ONE)
    answer = client.get(path)
    assert (answer.status_code, answer.get_json()["error"]["status"]) == (404, "NOT_FOUND")


def test_there_is_no_service_before_the_first_worker(client: FlaskClient) -> None:
    assert client.get(SERVICE).status_code == 404


@pytest.mark.parametrize(("method", "call"), [("GET", "run"), ("POST", "run"), ("POST", "")])
def test_another_call_is_refused_by_name(
    client: FlaskClient, revisions: Revisions, method: str, call: str
) -> None:
    ready(revisions, ONE)
    answer = client.open(f"{SERVICE}:{call}", method=method, json={})
    assert answer.get_json()["error"]["status"] == "UNIMPLEMENTED"


def test_at_first_everybody_may_call_the_service(client: FlaskClient, revisions: Revisions) -> None:
    ready(revisions, ONE)
    policy = get(client, f"{SERVICE}:getIamPolicy?options.requestedPolicyVersion=3")
    assert policy["bindings"] == [{"role": "roles/run.invoker", "members": ["allUsers"]}]
    assert policy["etag"]


def test_a_policy_is_set_and_read_back(client: FlaskClient, revisions: Revisions) -> None:
    ready(revisions, ONE)
    bindings = [{"role": "roles/run.invoker", "members": ["serviceAccount:a@b.example"]}]
    before = get(client, f"{SERVICE}:getIamPolicy")
    body = {"policy": {"etag": before["etag"], "bindings": bindings}}
    answer = client.post(f"{SERVICE}:setIamPolicy", json=body)
    assert answer.get_json()["bindings"] == bindings
    assert get(client, f"{SERVICE}:getIamPolicy") == answer.get_json()
    late = client.post(f"{SERVICE}:setIamPolicy", json=body)
    assert (late.status_code, late.get_json()["error"]["status"]) == (409, "ABORTED")


def test_on_this_machine_everybody_has_the_permissions(
    client: FlaskClient, revisions: Revisions
) -> None:
    ready(revisions, ONE)
    asked = {"permissions": ["run.routes.invoke"]}
    assert client.post(f"{SERVICE}:testIamPermissions", json=asked).get_json() == asked


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"{", "want an object"),
        (b"[" * 100_000, "want an object"),
        (b"{}", "policy is missing"),
        (b'{"policy": 5}', "policy is missing"),
        (b'{"policy": {"colour": "SECRET"}}', "want a google.iam.v1.Policy"),
        (b'{"policy": {"bindings": [{"role": "SECRET"}]}}', "policy.bindings[0].role: want roles/"),
        (b'{"policy": {"bindings": [{"role": "roles/run.invoker", "members": ["SECRET"]}]}}',
         "policy.bindings[0].members: want allUsers"),
    ],
)  # fmt: skip
def test_what_is_no_policy_is_refused_and_changes_nothing(
    client: FlaskClient, revisions: Revisions, body: bytes, says: str
) -> None:
    ready(revisions, ONE)
    before = get(client, f"{SERVICE}:getIamPolicy")
    error = client.post(f"{SERVICE}:setIamPolicy", data=body).get_json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    assert says in error["message"]
    assert "SECRET" not in error["message"]
    assert get(client, f"{SERVICE}:getIamPolicy") == before


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    policy, revisions = ServicePolicy(tmp_path_factory.mktemp("run"), NAME), Revisions(Time())
    ready(revisions, ONE)
    app = flask.Flask("test")
    app.register_blueprint(blueprint(Place("demo"), revisions, policy, []))
    yield app.test_client()
    policy.close()


MEMBERS = st.lists(st.sampled_from(["allUsers", "user:a@b.example"]) | JSON, max_size=3)
BINDING = st.fixed_dictionaries(
    {},
    optional={"role": st.just("roles/run.invoker") | JSON, "members": MEMBERS, "condition": JSON},
)
POLICY = st.fixed_dictionaries({}, optional={"bindings": st.lists(BINDING), "etag": JSON})


@given(policy=POLICY | JSON)
def test_any_policy_is_kept_or_refused(kept: FlaskClient, policy: Any) -> None:
    answer = kept.post(f"{SERVICE}:setIamPolicy", json={"policy": policy})
    assert answer.status_code in (200, 400, 409), answer.get_json()
    assert answer.status_code == 200 or answer.get_json()["error"]["message"]
