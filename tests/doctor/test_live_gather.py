"""A whole examination over HTTP: what is asked, what is found, what cannot be read."""

import threading
from collections.abc import Iterator

import pytest

from tests.doctor.healthy import (
    AGENT,
    BUCKET,
    DATABASE,
    DEAD,
    DEAD_SUBSCRIPTION,
    DEPLOYMENT,
    ENVIRONMENT,
    PUSHER,
    QUARANTINE,
    QUARANTINE_SUBSCRIPTION,
    RUNTIME,
    SUBSCRIPTION,
    TOPIC,
    keeping,
    policy,
    subscription,
)
from tests.support.google import FakeGoogle
from tests.support.standin import unused_address
from worker.claims.firestore import COLLECTION
from worker.doctor.finding import Finding, Severity
from worker.doctor.live import examine
from worker.project.project import Project
from worker.rest import CallFailed

_METRIC = "pubsub.googleapis.com/subscription"
_FIELD = f"{DATABASE}/collectionGroups/{COLLECTION}/fields/expires_at"


def plant(google: FakeGoogle) -> None:
    """A deployment with which nothing is wrong, as the APIs keep it."""
    google.enable("run", "pubsub", "iam", "logging", "monitoring", "firestore", "storage")
    google.service(env=ENVIRONMENT)
    google.account(RUNTIME)
    google.account(PUSHER)
    uri = google.service().uri
    push = subscription()
    push["pushConfig"] = {
        "pushEndpoint": f"{uri}/",
        "oidcToken": {"serviceAccountEmail": PUSHER, "audience": uri},
    }
    keepers = (
        keeping(DEAD_SUBSCRIPTION, DEAD),
        keeping(QUARANTINE_SUBSCRIPTION, QUARANTINE),
    )
    for one in (push, *keepers, {"name": TOPIC}, {"name": DEAD}, {"name": QUARANTINE}):
        google.resources["pubsub", str(one["name"])] = one
    alert = "projects/demo-project/alertPolicies/1"
    channel = {"notificationChannels": ["projects/demo-project/notificationChannels/1"]}
    ours = {"name": alert, "userLabels": {"managed-by": "feature-worker"}, "enabled": True}
    google.resources["monitoring", alert] = ours | channel
    google.resources["firestore", DATABASE] = {"name": DATABASE, "type": "FIRESTORE_NATIVE"}
    google.resources["firestore", _FIELD] = {"name": _FIELD, "ttlConfig": {"state": "ACTIVE"}}
    google.resources["storage", "b/demo-artifacts"] = dict(BUCKET)
    plant_policies(google)


def plant_policies(google: FakeGoogle) -> None:
    google.policies.update({
        ("cloudresourcemanager", "projects/demo-project"): policy(datastore_user=RUNTIME).resource,
        ("run", google.service().name): policy(run_invoker=PUSHER).resource,
        ("pubsub", SUBSCRIPTION): policy(pubsub_subscriber=AGENT).resource,
        ("pubsub", DEAD): policy(pubsub_publisher=AGENT).resource,
        ("pubsub", QUARANTINE): policy(pubsub_publisher=RUNTIME).resource,
        ("storage", "b/demo-artifacts"): policy(storage_objectUser=RUNTIME).resource,
        ("iam", f"projects/demo-project/serviceAccounts/{PUSHER}"):
            policy(iam_serviceAccountTokenCreator=AGENT).resource,
    })  # fmt: skip


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    with FakeGoogle() as google:
        for name, value in google.environment.items():
            monkeypatch.setenv(name, value)
        plant(google)
        yield google


def examined() -> list[Finding]:
    return examine(Project("demo-project"), DEPLOYMENT)


def test_nothing_is_found_in_a_healthy_project_and_nothing_is_changed(google: FakeGoogle) -> None:
    assert examined() == []
    assert google.mutations() == []


def test_each_thing_is_asked_once(google: FakeGoogle) -> None:
    examined()
    asked = [(call.method, call.api, call.path, str(call.query)) for call in google.calls]
    assert len(asked) == len({call for call in asked if "timeSeries" not in call[2]}) + 4


def test_what_was_planted_in_the_project_is_found(google: FakeGoogle) -> None:
    google.resources["pubsub", SUBSCRIPTION] |= {"ackDeadlineSeconds": 60, "filter": "attributes:x"}
    google.policies["run", google.service().name]["bindings"][0]["members"].append("allUsers")
    google.resources["firestore", DATABASE]["type"] = "DATASTORE_MODE"
    del google.resources["pubsub", DEAD_SUBSCRIPTION]

    assert [one.check for one in examined()] == [
        "filter",
        "public-trusts-iam",
        "ack-deadline-long",
        "claims-database-mode",
        "dead-letter-unread",
    ]


def test_what_waits_and_what_fails_is_found_in_the_series(google: FakeGoogle) -> None:
    for name, points in (("feature-worker-dead", (3, 9)), ("feature-worker-quarantine", (0, 9))):
        google.series(f"{_METRIC}/num_undelivered_messages", {"subscription_id": name}, points)
    ours = {"subscription_id": "feature-worker"}
    google.series(f"{_METRIC}/oldest_unacked_message_age", ours, (900, 2))
    for kind, points in (("ack", (1, 2)), ("deadline_exceeded", (4, 5))):
        google.series(f"{_METRIC}/push_request_count", ours | {"response_class": kind}, points)

    found = {one.check: one.what for one in examined()}

    assert found == {
        "cpu-throttled": "9 pushes overran lately, and there is CPU during requests only",
        "dead-letters-waiting": "3 messages wait",
        "messages-wait": "the oldest message waits since 900 s",
        "pushes-fail": "of the last pushes 3 were acked, the others: 9 deadline_exceeded",
    }


def test_the_revision_that_serves_is_judged_and_not_a_canary(google: FakeGoogle) -> None:
    first = google.service().latest.id
    google.service(
        env=ENVIRONMENT | {"ACK_DEADLINE_SECONDS": "60"},
        traffic=({"revisionName": first, "percent": 100},),
    )
    assert [one.check for one in examined()] == ["traffic-elsewhere"]

    google.service(env=ENVIRONMENT | {"ACK_DEADLINE_SECONDS": "60"})
    assert [one.check for one in examined()] == ["ack-deadline-short"]


def test_a_revision_that_does_not_start_is_found_and_the_one_before_is_judged(
    google: FakeGoogle,
) -> None:
    google.revision_fails = "The user-provided container failed to start."
    google.service(env={})

    (finding,) = (one for one in examined() if one.severity is Severity.ERROR)

    assert finding.check == "revision-not-ready"
    assert "container failed to start" in finding.what


def test_what_the_worker_uses_is_looked_at_and_not_what_the_file_says(google: FakeGoogle) -> None:
    other, database = f"{QUARANTINE}-2", "projects/demo-project/databases/claims"
    google.service(env=ENVIRONMENT | {"QUARANTINE": f"topic:{other}", "CLAIMS": "firestore:claims"})
    assert [one.check for one in examined()] == [
        "claims-database-missing",
        "quarantine-topic-missing",
    ]

    google.resources["pubsub", other] = {"name": other}
    google.resources["firestore", database] = {"name": database}
    assert [one.check for one in examined()] == [
        "claims-no-ttl",
        "quarantine-not-writable",
        "quarantine-unread",
    ]


def test_the_dead_letter_topic_of_the_subscription_is_looked_at(google: FakeGoogle) -> None:
    google.resources["pubsub", f"{DEAD}-2"] = {"name": f"{DEAD}-2"}
    policy_of = google.resources["pubsub", SUBSCRIPTION]["deadLetterPolicy"]
    policy_of["deadLetterTopic"] = f"{DEAD}-2"
    assert [one.check for one in examined()] == ["dead-letter-cannot-publish", "dead-letter-unread"]


def test_the_push_account_of_the_subscription_is_looked_at(google: FakeGoogle) -> None:
    other = "another@demo-project.iam.gserviceaccount.com"
    token = google.resources["pubsub", SUBSCRIPTION]["pushConfig"]["oidcToken"]
    token["serviceAccountEmail"] = other
    assert [one.check for one in examined()] == ["push-account-missing", "cannot-invoke"]


def test_what_may_not_be_read_is_a_note_that_names_the_permission(google: FakeGoogle) -> None:
    google.fail("run", "GET", "getIamPolicy", 403, "Permission\ndenied.")
    google.fail("firestore", "GET", "", 403, "Cloud Firestore API has not been used in project 1")

    found = {one.what.partition(" cannot")[0]: one for one in examined()}

    assert set(found) == {
        "the service's IAM policy",
        "the database of the claims",
        "the TTL policy of the claims",
    }
    assert all(one.check == "not-readable" for one in found.values())
    assert "(it takes run.services.getIamPolicy)" in found["the service's IAM policy"].what
    assert "answered 403: Permission denied." in found["the service's IAM policy"].what
    assert "firestore.googleapis.com" in found["the database of the claims"].fix


def test_without_the_service_what_depends_on_it_is_not_asked_of_google(google: FakeGoogle) -> None:
    google.fail("run", "GET", r"services/feature-worker$", 403, "Permission denied.")
    google.fail("pubsub", "GET", r"subscriptions$", 403, "Permission denied.")

    found = [one.what.partition(" cannot")[0] for one in examined()]

    assert found == [
        "the subscriptions",
        "the Cloud Run service",
        "the revision that serves",
        "how many messages wait",
    ]


def test_in_an_empty_project_what_is_missing_is_named(google: FakeGoogle) -> None:
    google.resources.clear()
    google.policies.clear()

    assert list(dict.fromkeys(one.check for one in examined())) == [
        "service-missing",
        "topic-missing",
        "subscription-missing",
        "push-account-missing",
        "api-disabled",
        "alerts-missing",
    ]


def test_a_project_that_cannot_be_asked_at_all_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RUN", "PUBSUB", "IAM", "MONITORING", "CLOUDRESOURCEMANAGER", "SERVICEUSAGE"):
        variable = f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}"
        monkeypatch.setenv(variable, f"http://{unused_address()}/")
    monkeypatch.setenv("PUBSUB_EMULATOR_HOST", unused_address())

    with pytest.raises(CallFailed, match="cannot be used"):
        examined()


def test_the_reads_run_side_by_side(google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> None:
    together = threading.Barrier(2)
    project = Project("demo-project")

    def topic(name: str) -> None:
        if name == TOPIC:
            together.wait(30)

    def number() -> str:
        together.wait(30)
        return "123456789"

    monkeypatch.setattr(project, "topic", topic)
    monkeypatch.setattr(project, "number", number)

    assert "topic-missing" in {one.check for one in examine(project, DEPLOYMENT)}
