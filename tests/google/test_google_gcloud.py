"""The real gcloud works against the fake, and our commands read what it made."""

import json
from pathlib import Path

import pytest

from tests.google.support import Gcloud
from tests.support.google import FakeGoogle
from worker.project.apis import ARTIFACT_REGISTRY, FIRESTORE, IAM, LOGGING, MONITORING
from worker.project.project import Project

# gcloud comes with the emulator; it is started many times, on a machine that may be busy.
pytestmark = [pytest.mark.emulator, pytest.mark.timeout(300)]

RUN = "--region=europe-west1"
SERVICE = "projects/demo-project/locations/europe-west1/services/feature-worker"
ACCOUNT = "feature-worker@demo-project.iam.gserviceaccount.com"
AGENT = "service-123456789@gcp-sa-pubsub.iam.gserviceaccount.com"
METRIC = {"description": "outcomes", "filter": 'jsonPayload.event="message.processed"'}
DASHBOARD = {"displayName": "Feature worker", "labels": {"managed-by": "feature-worker"},
             "mosaicLayout": {"columns": 48, "tiles": []}}  # fmt: skip
ALERT = {
    "displayName": "crashes",
    "userLabels": {"managed-by": "feature-worker"},
    "combiner": "OR",
    "conditions": [{
        "displayName": "one",
        "conditionThreshold": {
            "filter": 'metric.type="logging.googleapis.com/user/outcomes"',
            "comparison": "COMPARISON_GT", "thresholdValue": 0, "duration": "0s",
        },
    }],
}  # fmt: skip


def test_apis_accounts_and_grants(google: FakeGoogle, gcloud: Gcloud, project: Project) -> None:
    google.apis_must_be_enabled = True
    said = gcloud.refused("iam", "service-accounts", "create", "feature-worker")
    assert "iam.googleapis.com has not been used in project 123456789 before" in said
    gcloud("services", "enable", "iam.googleapis.com", "pubsub.googleapis.com")
    gcloud("iam", "service-accounts", "create", "feature-worker", "--display-name=Runs it")
    said = gcloud.refused("iam", "service-accounts", "create", "feature-worker")
    assert "already exists" in said
    grant = (f"--member=serviceAccount:{AGENT}", "--role=roles/iam.serviceAccountTokenCreator")
    said = gcloud.refused("iam", "service-accounts", "add-iam-policy-binding", ACCOUNT, *grant)
    assert f"Service account {AGENT} does not exist." in said
    gcloud("beta", "services", "identity", "create", "--service=pubsub.googleapis.com")
    gcloud("iam", "service-accounts", "add-iam-policy-binding", ACCOUNT, *grant)
    gcloud(
        "projects", "add-iam-policy-binding", "demo-project",
        f"--member=serviceAccount:{ACCOUNT}", "--role=roles/datastore.user", "--condition=None",
    )  # fmt: skip
    number = gcloud("projects", "describe", "demo-project", "--format=value(projectNumber)")

    assert number == project.number() == google.number
    account = project.google.get(IAM, f"v1/projects/-/serviceAccounts/{ACCOUNT}")
    assert account is not None
    assert (account["displayName"], account["email"]) == ("Runs it", ACCOUNT)
    assert account["uniqueId"].isdigit()
    assert project.policy().grants("roles/datastore.user", f"serviceAccount:{ACCOUNT}")
    kept = google.policies["iam", account["name"]]
    assert kept["bindings"] == [
        {"role": "roles/iam.serviceAccountTokenCreator", "members": [f"serviceAccount:{AGENT}"]}
    ]
    gcloud("iam", "service-accounts", "delete", ACCOUNT, "--quiet")
    assert project.google.get(IAM, f"v1/projects/-/serviceAccounts/{ACCOUNT}") is None


def test_buckets(google: FakeGoogle, gcloud: Gcloud, project: Project) -> None:
    google.account(ACCOUNT)
    buckets, name = ("storage", "buckets"), "gs://files-of-demo"
    private = ("--uniform-bucket-level-access", "--public-access-prevention")
    assert "not found: 404" in gcloud.refused(*buckets, "describe", name)
    gcloud(*buckets, "create", name, "--location=europe-west1", *private)
    said = gcloud.refused(*buckets, "create", name, "--location=europe-west1")
    assert "to create the named bucket succeeded" in said
    gcloud(*buckets, "update", name, "--update-labels=team=shop")
    gcloud(
        *buckets, "add-iam-policy-binding", name, f"--member=serviceAccount:{ACCOUNT}",
        "--role=roles/storage.objectUser",
    )  # fmt: skip

    found = project.bucket("files-of-demo")
    assert found is not None
    assert (found["location"], found["labels"]) == ("EUROPE-WEST1", {"team": "shop"})
    assert found["iamConfiguration"] == {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    }
    policy = project.bucket_policy("files-of-demo")
    assert policy.grants("roles/storage.objectUser", f"serviceAccount:{ACCOUNT}")
    gcloud(*buckets, "delete", name, "--quiet")
    assert project.bucket("files-of-demo") is None


def test_a_service_is_deployed_without_traffic_and_then_gets_it(
    google: FakeGoogle, gcloud: Gcloud, project: Project
) -> None:
    google.run_urls.update({"": "http://127.0.0.1:1", "canary": "http://127.0.0.1:2"})
    deploy = ("run", "deploy", "feature-worker", RUN, "--no-allow-unauthenticated")
    gcloud(
        *deploy, "--image=image:1", "--revision-suffix=one", "--concurrency=8", "--timeout=610",
        "--set-env-vars=CLAIMS=firestore,ACK=10", "--max-instances=10",
        f"--service-account={ACCOUNT}",
    )  # fmt: skip
    gcloud(*deploy, "--image=image:2", "--revision-suffix=two", "--no-traffic", "--tag=canary")
    service = project.service(SERVICE)
    assert service is not None
    shown = gcloud.json("run", "services", "describe", "feature-worker", RUN)

    assert shown["status"]["url"] == service["uri"] == "http://127.0.0.1:1"
    assert shown["status"]["observedGeneration"] == shown["metadata"]["generation"] == 2
    one, two = "feature-worker-one", "feature-worker-two"
    assert [(now["revision"], now.get("percent"), now.get("tag"), now.get("uri"))
            for now in service["trafficStatuses"]] == [
        (one, 100, None, None), (two, None, "canary", "http://127.0.0.1:2"),
    ]  # fmt: skip
    assert service["latestReadyRevision"] == f"{SERVICE}/revisions/{two}"
    assert service["terminalCondition"]["state"] == "CONDITION_SUCCEEDED"
    assert (service["ingress"], "invokerIamDisabled" in service) == ("INGRESS_TRAFFIC_ALL", False)
    template = service["template"]
    assert (template["timeout"], template["maxInstanceRequestConcurrency"]) == ("610s", 8)
    assert (template["scaling"]["maxInstanceCount"], template["serviceAccount"]) == (10, ACCOUNT)
    (container,) = template["containers"]
    assert container["image"] == "image:2"
    assert {"name": "CLAIMS", "value": "firestore"} in container["env"]

    gcloud("run", "services", "update-traffic", "feature-worker", RUN, f"--to-revisions={two}=100")
    (left,) = [
        now for now in (project.service(SERVICE) or {})["trafficStatuses"] if "percent" in now
    ]
    assert (left["revision"], left["percent"]) == (two, 100)
    listed = gcloud.json("run", "revisions", "list", "--service=feature-worker", RUN)
    assert [revision["metadata"]["name"] for revision in listed] == [two, one]
    revision = project.revision(f"{SERVICE}/revisions/{one}")
    assert revision is not None
    assert revision["containers"][0]["image"] == "image:1"

    gcloud(
        "run", "services", "add-iam-policy-binding", "feature-worker", RUN,
        "--member=user:a@example.com", "--role=roles/run.invoker",
    )  # fmt: skip
    assert project.service_policy(SERVICE).grants("roles/run.invoker", "user:a@example.com")


def test_a_revision_that_is_not_ready_gets_no_traffic(
    google: FakeGoogle, gcloud: Gcloud, project: Project
) -> None:
    google.service(revision="feature-worker-good")
    google.revision_fails = "The user-provided container failed to start."
    deploy = ("run", "deploy", "feature-worker", RUN, "--no-allow-unauthenticated")
    said = gcloud.refused(*deploy, "--image=image:2", "--revision-suffix=bad")
    assert "Revision 'feature-worker-bad' is not ready and cannot serve traffic." in said
    assert "The user-provided container failed to start." in said

    service = project.service(SERVICE)
    assert service is not None
    assert service["latestReadyRevision"].endswith("/feature-worker-good")
    assert service["latestCreatedRevision"].endswith("/feature-worker-bad")
    assert service["terminalCondition"]["state"] == "CONDITION_FAILED"
    assert [now["revision"] for now in service["trafficStatuses"]] == ["feature-worker-good"]
    said = gcloud.refused(
        "run", "services", "update-traffic", "feature-worker", RUN, "--to-revisions=nowhere=100"
    )
    assert "Revision 'nowhere' is not there." in said
    gcloud(*deploy, "--image=image:3")
    (condition,) = google.service().latest.v2["conditions"]
    assert condition["state"] == "CONDITION_SUCCEEDED"


def test_a_repository_and_a_database_whose_operations_take_their_time(
    google: FakeGoogle, gcloud: Gcloud, project: Project
) -> None:
    google.slow_operations = True
    gcloud(
        "artifacts", "repositories", "create", "feature-worker", "--repository-format=docker",
        "--location=europe-west1", "--labels=managed-by=feature-worker",
    )  # fmt: skip
    google.slow_operations = False
    gcloud("firestore", "databases", "create", "--location=europe-west1")
    assert "Database already exists" in gcloud.refused(
        "firestore", "databases", "create", "--location=europe-west1"
    )
    gcloud(
        "firestore", "fields", "ttls", "update", "expires_at",
        "--collection-group=feature-worker-claims", "--enable-ttl",
    )  # fmt: skip

    name = "projects/demo-project/locations/europe-west1/repositories/feature-worker"
    repository = project.google.get(ARTIFACT_REGISTRY, f"v1/{name}")
    assert repository is not None
    assert repository["labels"] == {"managed-by": "feature-worker"}
    assert (repository["format"], repository["mode"]) == ("DOCKER", "STANDARD_REPOSITORY")
    looked = [call for call in google.calls if "/operations/" in call.path]
    assert len(looked) == 2
    database = "v1/projects/demo-project/databases/(default)"
    field = f"{database}/collectionGroups/feature-worker-claims/fields/expires_at"
    made = project.google.get(FIRESTORE, field)
    assert made is not None
    assert made["ttlConfig"] == {"state": "ACTIVE"}
    assert (project.google.get(FIRESTORE, database) or {})["type"] == "FIRESTORE_NATIVE"
    gcloud("artifacts", "repositories", "delete", "feature-worker", "--location=europe-west1",
           "--quiet")  # fmt: skip
    assert project.google.get(ARTIFACT_REGISTRY, f"v1/{name}") is None


def file(folder: Path, content: object) -> str:
    path = folder / "config.json"
    path.write_text(json.dumps(content))
    return str(path)


def test_a_dashboard_is_replaced_by_whoever_read_it(
    gcloud: Gcloud, project: Project, tmp_path: Path
) -> None:
    dashboards = ("monitoring", "dashboards")
    gcloud(*dashboards, "create", f"--config-from-file={file(tmp_path, DASHBOARD)}")
    name = gcloud(*dashboards, "list", "--format=value(name)")
    (made,) = project.google.pages(MONITORING, "v1/projects/demo-project/dashboards", "dashboards")
    assert (made["name"], made["labels"]) == (name, {"managed-by": "feature-worker"})

    stale = file(tmp_path, {**DASHBOARD, "etag": "b2xk"})
    said = gcloud.refused(*dashboards, "update", name, f"--config-from-file={stale}")
    assert "its etag is old" in said
    fresh = file(tmp_path, {**DASHBOARD, "displayName": "Other", "etag": made["etag"]})
    gcloud(*dashboards, "update", name, f"--config-from-file={fresh}")
    (changed,) = project.google.pages(
        MONITORING, "v1/projects/demo-project/dashboards", "dashboards"
    )
    assert changed["displayName"] == "Other"
    assert changed["etag"] != made["etag"]
    gcloud(*dashboards, "delete", name, "--quiet")
    assert not gcloud(*dashboards, "list", "--format=value(name)")


def test_an_alert_needs_its_metric_and_goes_to_a_channel(
    gcloud: Gcloud, project: Project, tmp_path: Path
) -> None:
    policies, channels = ("alpha", "monitoring", "policies"), ("beta", "monitoring", "channels")
    create = (*policies, "create", f"--policy-from-file={file(tmp_path, ALERT)}")
    assert "Cannot find metric(s)" in gcloud.refused(*create)
    metric = tmp_path / "metric.json"
    metric.write_text(json.dumps(METRIC))
    gcloud("logging", "metrics", "create", "outcomes", f"--config-from-file={metric}")
    metric.write_text(json.dumps({**METRIC, "description": "all"}))
    gcloud("logging", "metrics", "update", "outcomes", f"--config-from-file={metric}")
    channel = gcloud(
        *channels, "create", "--display-name=us", "--type=email",
        "--channel-labels=email_address=a@example.com", "--format=value(name)",
    )  # fmt: skip
    gcloud(*create, f"--notification-channels={channel}")

    kept = project.google.get(LOGGING, "v2/projects/demo-project/metrics/outcomes")
    assert kept is not None
    assert (kept["description"], kept["metricDescriptor"]["type"]) == (
        "all", "logging.googleapis.com/user/outcomes",
    )  # fmt: skip
    alerts = "v3/projects/demo-project/alertPolicies"
    (alert,) = project.google.pages(MONITORING, alerts, "alertPolicies")
    assert alert["conditions"][0]["name"].startswith(alert["name"])
    assert alert["notificationChannels"] == [channel]

    assert "is in use" in gcloud.refused(*channels, "delete", channel, "--quiet")
    gcloud(*policies, "delete", alert["name"], "--quiet")
    gcloud(*channels, "delete", channel, "--quiet")
    gcloud("logging", "metrics", "delete", "outcomes", "--quiet")
    assert not project.google.pages(MONITORING, alerts, "alertPolicies")
