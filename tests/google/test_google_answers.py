"""What the fake answers where gcloud is not needed to see it: refusals, etags, masks, plans."""

import json
import urllib.request
from pathlib import Path

import pytest

from tests.support.google import FakeGoogle
from tests.support.standin import Call, Reply, StandIn
from worker.project.apis import (
    ARTIFACT_REGISTRY,
    CREDENTIALS,
    FIRESTORE,
    IAM,
    LOGGING,
    MONITORING,
    PROJECTS,
    PUBSUB,
    RUN,
    SERVICE_USAGE,
    STORAGE,
)  # fmt: skip
from worker.project.entries import entries_of
from worker.project.policy import Policy
from worker.project.project import Project
from worker.rest import CallFailed, Service

P = "projects/demo-project"
ALERTS = f"v3/{P}/alertPolicies"
SERVICE = f"{P}/locations/europe-west1/services/feature-worker"


def refusal(
    project: Project, service: Service, method: str, path: str, body: object = None
) -> CallFailed:
    with pytest.raises(CallFailed) as failed:
        project.google.call(service, method, path, body)  # type: ignore[arg-type]
    return failed.value


@pytest.mark.parametrize(
    ("service", "method", "path", "body", "status"),
    [
        (IAM, "DELETE", f"v1/{P}/serviceAccounts/a@b", None, 404),
        (IAM, "POST", f"v1/{P}/serviceAccounts", {"accountId": "A"}, 400),
        (IAM, "POST", f"v1/{P}/serviceAccounts", ["no object"], 400),
        (PROJECTS, "GET", "v1/projects/another", None, 403),
        (SERVICE_USAGE, "POST", f"v1/{P}/services:batchEnable", {"serviceIds": []}, 400),
        (SERVICE_USAGE, "POST", f"v1/{P}/services:batchEnable", {"serviceIds": ["a"] * 21}, 400),
        (ARTIFACT_REGISTRY, "POST", f"v1/{P}/locations/europe-west1/repositories", {}, 400),
        (FIRESTORE, "POST", f"v1/{P}/databases?databaseId=x", {}, 400),
        (FIRESTORE, "GET", f"v1/{P}/databases/x/collectionGroups/c/fields/f", None, 404),
        (LOGGING, "POST", f"v2/{P}/metrics", {"name": "m"}, 400),
        (LOGGING, "GET", f"v2/{P}/sinks/nowhere", None, 404),
        (MONITORING, "POST", f"v1/{P}/dashboards", {}, 400),
        (MONITORING, "POST", ALERTS, {"displayName": "x"}, 400),
        (MONITORING, "PATCH", f"{ALERTS}/1", {}, 404),
        (MONITORING, "POST", f"v3/{P}/notificationChannels", {}, 400),
        (MONITORING, "GET", f"v3/{P}/timeSeries?filter=metric.type%3D%22m%22", None, 400),
        (PUBSUB, "PUT", f"v1/{P}/subscriptions/s", {"topic": f"{P}/topics/nowhere"}, 404),
        (PUBSUB, "GET", f"v1/{P}/topics/t:getIamPolicy", None, 404),
        (RUN, "GET", f"v2/{SERVICE}", None, 404),
        (RUN, "GET", f"v2/{SERVICE}:getIamPolicy", None, 404),
        (STORAGE, "GET", "storage/v1/b/nowhere", None, 404),
        (STORAGE, "GET", "storage/v1/b/nowhere/iam", None, 404),
        (STORAGE, "GET", "storage/v1/b/nowhere/o", None, 404),
        (STORAGE, "DELETE", "storage/v1/b/nowhere", None, 404),
        (STORAGE, "POST", "storage/v1/b?project=demo-project", {"name": "Capitals"}, 400),
        (STORAGE, "POST", "storage/v1/b", {"name": "of-no-project"}, 400),
        (CREDENTIALS, "POST", f"v1/{P}/serviceAccounts/a@b:generateIdToken", {}, 400),
        (RUN, "GET", "v1/operations/nowhere", None, 404),
        (RUN, "POST", "v9/what", {}, 400),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_as_google_refuses(  # noqa: PLR0917 - a row of the table
    project: Project, service: Service, method: str, path: str, body: object, status: int
) -> None:
    failed = refusal(project, service, method, path, body)
    assert failed.status == status
    assert failed.code


def test_a_bucket_with_a_file_in_it_cannot_be_removed(google: FakeGoogle, project: Project) -> None:
    body = {"name": "files", "location": "europe-west1"}
    project.google.call(STORAGE, "POST", "storage/v1/b?project=demo-project", body)
    google.resources["storage", "b/files/o/one"] = {"name": "one"}
    assert refusal(project, STORAGE, "DELETE", "storage/v1/b/files").status == 409
    del google.resources["storage", "b/files/o/one"]
    assert project.google.call(STORAGE, "DELETE", "storage/v1/b/files") == {}
    assert project.bucket("files") is None


def test_a_policy_of_a_bucket_is_not_written_over_another(
    google: FakeGoogle, project: Project
) -> None:
    google.resources["storage", "b/files"] = {"name": "files"}
    old = project.bucket_policy("files")
    mine, theirs = (old.with_member("roles/storage.admin", f"user:{one}") for one in "ab")
    project.google.call(STORAGE, "PUT", "storage/v1/b/files/iam", theirs.resource)
    failed = refusal(project, STORAGE, "PUT", "storage/v1/b/files/iam", mine.resource)
    assert (failed.status, failed.code) == (409, "ABORTED")
    assert project.bucket_policy("files").grants("roles/storage.admin", "user:b")


def test_what_the_fake_was_not_taught_it_says(google: FakeGoogle, project: Project) -> None:
    failed = refusal(project, RUN, "DELETE", "v2/what?force=true")
    assert "the fake Google was not taught run DELETE /v2/what" in str(failed)
    (call,) = google.calls
    assert (call.method, call.api, call.path, call.query, call.status) == (
        "DELETE", "run", "/v2/what", {"force": "true"}, 400,
    )  # fmt: skip


def test_a_policy_is_written_only_over_the_one_that_was_read(
    google: FakeGoogle, project: Project
) -> None:
    google.account("one@demo-project.iam.gserviceaccount.com")
    read = project.policy()
    changed = read.with_member("roles/viewer", "user:a@example.com")
    path = f"v1/{P}:setIamPolicy"
    project.google.call(PROJECTS, "POST", path, {"policy": changed.resource})
    failed = refusal(project, PROJECTS, "POST", path, {"policy": changed.resource})
    assert (failed.status, failed.code) == (409, "ABORTED")

    # Somebody else changes it: no etag of before is good any more.
    read = project.policy()
    google.policies["cloudresourcemanager", P]["bindings"][0]["members"].append("user:b@x.example")
    failed = refusal(project, PROJECTS, "POST", path, {"policy": read.resource})
    assert failed.code == "ABORTED"
    assert project.policy().members("roles/viewer") == {"user:a@example.com", "user:b@x.example"}


def test_nobody_can_be_granted_who_is_not_there(google: FakeGoogle, project: Project) -> None:
    member = "serviceAccount:one@demo-project.iam.gserviceaccount.com"
    wanted = Policy({}).with_member("roles/viewer", member).resource
    failed = refusal(project, PROJECTS, "POST", f"v1/{P}:setIamPolicy", {"policy": wanted})
    assert (failed.status, "one@demo-project" in str(failed)) == (400, True)
    google.account(member.partition(":")[2])
    project.google.call(PROJECTS, "POST", f"v1/{P}:setIamPolicy", {"policy": wanted})


def test_the_number_and_a_dash_are_the_project(google: FakeGoogle, project: Project) -> None:
    email = "one@demo-project.iam.gserviceaccount.com"
    google.account(email)
    policy = Policy({}).with_member("roles/x", "user:a@example.com").resource
    project.google.call(
        IAM, "POST", f"v1/projects/-/serviceAccounts/{email}:setIamPolicy", {"policy": policy}
    )
    assert list(google.policies) == [("iam", f"{P}/serviceAccounts/{email}")]
    read = project.google.call(PROJECTS, "POST", "v1/projects/123456789:getIamPolicy", {})
    assert read["etag"] == project.policy().resource["etag"]


def test_a_patch_changes_what_its_mask_names(google: FakeGoogle, project: Project) -> None:
    topic = google.resources["pubsub", f"{P}/topics/t"] = {
        "name": f"{P}/topics/t", "labels": {"a": "b"}, "messageRetentionDuration": "600s",
    }  # fmt: skip
    body = {"topic": {"labels": {"c": "d"}}, "updateMask": "message_retention_duration"}
    changed = project.google.call(PUBSUB, "PATCH", f"v1/{P}/topics/t", body)
    assert changed == {"name": topic["name"], "labels": {"a": "b"}}
    refused = refusal(project, PUBSUB, "PATCH", f"v1/{P}/topics/t", {"topic": {}})
    assert refused.status == 400

    name = f"{P}/locations/europe-west1/repositories/r"
    google.resources["artifactregistry", name] = {"name": name, "description": "old"}
    project.google.call(
        ARTIFACT_REGISTRY, "PATCH", f"v1/{name}?updateMask=labels.a",
        {"labels": {"a": "1", "b": "2"}, "description": "new"},
    )  # fmt: skip
    kept = google.resources["artifactregistry", name]
    assert (kept["labels"], kept["description"]) == ({"a": "1"}, "old")


def test_operations_are_done_at_once_or_at_the_second_look(
    google: FakeGoogle, project: Project
) -> None:
    path = f"v1/{P}/services:batchEnable"
    body = {"serviceIds": ["run.googleapis.com"]}
    assert project.google.call(SERVICE_USAGE, "POST", path, body)["done"]
    google.slow_operations = True
    google.clear()
    operation = project.google.call(SERVICE_USAGE, "POST", path, body)
    assert "done" not in operation
    response = project.google.wait(SERVICE_USAGE, "v1", operation)
    assert response["services"][0]["state"] == "ENABLED"
    assert [call.method for call in google.calls] == ["POST", "GET", "GET"]


def test_apis_refuse_until_they_are_enabled(google: FakeGoogle, project: Project) -> None:
    assert project.topic(f"{P}/topics/t") is None
    google.apis_must_be_enabled = True
    state = project.google.call(SERVICE_USAGE, "GET", f"v1/{P}/services/pubsub.googleapis.com")
    assert state["state"] == "DISABLED"
    failed = refusal(project, PUBSUB, "GET", f"v1/{P}/topics/t")
    assert (failed.status, failed.code) == (403, "PERMISSION_DENIED")
    assert project.sinks()  # on from the start
    google.enable("pubsub")
    assert project.topic(f"{P}/topics/t") is None


def test_planted_refusals_hit_what_they_fit_and_heal(google: FakeGoogle, project: Project) -> None:
    google.fail("pubsub", "GET", "/topics/a$", 403, "no", times=1)
    google.fail("", "", "/topics/b", 503, "later")
    assert refusal(project, PUBSUB, "GET", f"v1/{P}/topics/a").code == "PERMISSION_DENIED"
    assert project.topic(f"{P}/topics/a") is None
    google.fail("pubsub", "GET", "/topics/c$", 403, "no")
    assert refusal(project, PUBSUB, "DELETE", f"v1/{P}/topics/c").status == 404
    assert project.topic(f"{P}/topics/ab") is None
    for _ in range(2):
        assert refusal(project, PUBSUB, "DELETE", f"v1/{P}/topics/b").code == "UNAVAILABLE"
    google.heal()
    assert project.topic(f"{P}/topics/b") is None


def test_mutations_are_the_calls_that_ask_for_a_change(
    google: FakeGoogle, project: Project
) -> None:
    project.policy()
    project.topic(f"{P}/topics/t")
    assert google.mutations() == []
    project.google.call(PUBSUB, "PUT", f"v1/{P}/topics/t", {"labels": {"a": "b"}})
    refusal(project, PUBSUB, "PUT", f"v1/{P}/topics/t", {})
    assert [(call.path, call.body, call.status) for call in google.mutations()] == [
        (f"/v1/{P}/topics/t", {"labels": {"a": "b"}}, 200),
        (f"/v1/{P}/topics/t", {}, 409),
    ]
    google.clear()
    assert google.calls == []


def test_series_are_found_by_metric_labels_and_time(google: FakeGoogle, project: Project) -> None:
    backlog = "pubsub.googleapis.com/subscription/num_undelivered_messages"
    pushes = "pubsub.googleapis.com/subscription/push_request_count"
    google.series(backlog, {"subscription_id": "one"}, [3, 2, 1])
    google.series(backlog, {"subscription_id": "two"}, [9])
    google.series(pushes, {"subscription_id": "one", "response_class": "ack"}, [0.5])
    (found,) = project.series(backlog, 10, subscription_id="one")
    assert [point["value"]["int64Value"] for point in found["points"]] == ["3", "2", "1"]
    google.series(backlog, {"subscription_id": "old"}, [0] * 9)
    (recent,) = project.series(backlog, 2, subscription_id="old")
    assert 1 < len(recent["points"]) < 5  # three, unless the clock is between two seconds
    (pushed,) = project.series(pushes, 10, subscription_id="one")
    assert pushed["metric"]["labels"] == {"response_class": "ack"}
    assert pushed["points"][0]["value"] == {"doubleValue": 0.5}
    assert project.series(backlog, 10, subscription_id="three") == []


def test_a_filter_that_the_fake_cannot_read_is_refused(project: Project) -> None:
    for path in ("filter=metric.type%3D%22a%22%20OR%20x", "filter=resource.type%3D%22a%22"):
        assert refusal(project, MONITORING, "GET", f"v3/{P}/timeSeries?{path}").status == 400


def test_a_planted_service_is_the_same_in_both_versions(
    google: FakeGoogle, project: Project
) -> None:
    google.run_urls[""] = "http://127.0.0.1:1"
    service = google.service(
        env={"CLAIMS": "memory"}, timeout_seconds=5, memory="1Gi",
        annotations={"run.googleapis.com/ingress": "internal",
                     "run.googleapis.com/invoker-iam-disabled": "true"},
        template_annotations={"run.googleapis.com/cpu-throttling": "false"},
    )  # fmt: skip
    assert service.uri == "http://127.0.0.1:1"
    shown = project.service(service.name)
    assert shown == service.v2
    assert (shown["ingress"], shown["invokerIamDisabled"]) == (
        "INGRESS_TRAFFIC_INTERNAL_ONLY",
        True,
    )
    (container,) = shown["template"]["containers"]
    assert container["env"] == [{"name": "CLAIMS", "value": "memory"}]
    assert container["resources"] == {"limits": {"cpu": "1", "memory": "1Gi"}}
    assert shown["template"]["timeout"] == "5s"

    first = service.latest
    second = service.deploy(env={"CLAIMS": "firestore"})
    assert project.revision(second.name) == second.v2
    assert google.revision(first.id).v2["containers"][0]["env"] == container["env"]
    assert google.service().v1["status"]["latestReadyRevisionName"] == second.id
    service.v1["metadata"]["annotations"]["run.googleapis.com/ingress"] = "internal"
    assert (project.service(service.name) or {})["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"


def test_the_same_template_makes_no_new_revision(google: FakeGoogle, project: Project) -> None:
    service = google.service()
    before = service.latest.id
    path = "apis/serving.knative.dev/v1/namespaces/demo-project/services/feature-worker"
    # gcloud calls the region's host; ours has none in its name and means europe-west1.
    answer = project.google.call(RUN, "PUT", path, service.v1)
    assert answer["metadata"]["generation"] == 2
    assert service.latest.id == before
    stale = {**service.v1, "metadata": {**service.v1["metadata"], "resourceVersion": "old"}}
    assert refusal(project, RUN, "PUT", path, stale).code == "ABORTED"


@pytest.mark.parametrize(
    "traffic",
    [
        [{"latestRevision": True, "percent": 99}],
        [{"revisionName": "nowhere", "percent": 100}],
        [{"latestRevision": True, "percent": 100, "tag": "a"},
         {"latestRevision": True, "tag": "a"}],
    ],
)  # fmt: skip
def test_traffic_that_cannot_be_is_refused_and_nothing_stays(
    google: FakeGoogle, project: Project, traffic: list[object]
) -> None:
    service = google.service()
    before = json.dumps(service.v1)
    path = "apis/serving.knative.dev/v1/namespaces/demo-project/services/feature-worker"
    changed = json.loads(before)
    changed["spec"]["traffic"] = traffic
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = "other"
    assert refusal(project, RUN, "PUT", path, changed).status == 400
    assert json.dumps(service.v1) == before
    revisions = project.google.pages(RUN, f"v2/{SERVICE}/revisions", "revisions")
    assert len(revisions) == 1


def test_an_id_token_is_the_one_that_was_planted(google: FakeGoogle, project: Project) -> None:
    google.id_token = "a.b.c"
    path = "v1/projects/-/serviceAccounts/push@x.example:generateIdToken"
    body = {"audience": "https://x.example", "includeEmail": True}
    assert project.google.call(CREDENTIALS, "POST", path, body) == {"token": "a.b.c"}
    assert google.mutations() == []


def test_a_sink_can_be_excluded_from(google: FakeGoogle, project: Project) -> None:
    path = f"v2/{P}/sinks/_Default?updateMask=exclusions"
    exclusion = {"name": "x", "filter": "severity=INFO"}
    project.google.call(LOGGING, "PATCH", path, {"exclusions": [exclusion]})
    sinks = {sink["name"]: sink for sink in project.sinks()}
    assert sinks["_Default"]["exclusions"] == [exclusion]
    assert "exclusions" not in sinks["_Required"]


def test_entries_are_those_of_the_logging_behind_the_fake(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"logName": f"{P}/logs/x", "resource": {"type": "global"}, "jsonPayload": {"a": 1},
             "insertId": "1", "timestamp": "2026-01-01T00:00:00Z"}  # fmt: skip

    def answer(call: Call) -> Reply:
        assert call.path.startswith("/v2/entries:list")
        return Reply.json({"entries": [entry]})

    with StandIn(answer) as logging, FakeGoogle(logging=logging.address) as google:
        for name, value in google.environment.items():
            monkeypatch.setenv(name, value)
        with entries_of(google.project) as entries:
            (found,) = entries.find("a=1")
        assert Project(google.project).sinks()
        assert google.mutations() == []
    assert found["jsonPayload"] == {"a": 1}


def test_a_target_that_is_gone_is_no_hanging_call(monkeypatch: pytest.MonkeyPatch) -> None:
    with StandIn(lambda _call: Reply()) as gone:
        address = gone.address
    with FakeGoogle(pubsub=address) as google:
        for name, value in google.environment.items():
            monkeypatch.setenv(name, value)
        assert refusal(Project(google.project), PUBSUB, "GET", f"v1/{P}/topics/t").status == 503


def test_it_answers_by_host_as_well_as_through_the_proxy(google: FakeGoogle) -> None:
    asked = urllib.request.Request(
        f"http://{google.address}/v1/{P}/services/run.googleapis.com",
        headers={"Host": "serviceusage.googleapis.com"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(asked, timeout=10) as answer:
        assert json.load(answer)["state"] == "ENABLED"


def test_nothing_in_the_environment_leads_elsewhere(google: FakeGoogle) -> None:
    for name, value in google.environment.items():
        if name.startswith("CLOUDSDK_API_ENDPOINT_OVERRIDES_"):
            assert value.endswith(".test/")
    assert google.environment["PUBSUB_EMULATOR_HOST"] == google.address
    assert Path(google.environment["CLOUDSDK_CONFIG"]).is_dir()
