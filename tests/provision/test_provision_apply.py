"""provision in a project: everything is made, nothing twice, and what others made stays."""

from collections.abc import Iterable
from typing import Any

import pytest

from tests.provision.conftest import Provision
from tests.provision.support import (
    AGENT,
    EMAIL,
    REPOSITORY,
    SUBSCRIPTION,
    TOPIC,
    call,
    lines_with,
    members,
)
from tests.support.cli import run
from tests.support.google import Call, FakeGoogle
from worker.deployment import Deployment
from worker.provision.inventory import resources_of

URL = "https://feature-worker-abcdefghij-ew.a.run.app"
PUSHER = EMAIL.format("feature-worker-push")
BUCKET = ("storage", "b/demo-artifacts")
OURS = {"managed-by": "feature-worker"}
PRIVATE = {
    "uniformBucketLevelAccess": {"enabled": True},
    "publicAccessPrevention": "enforced",
}
TOKEN = {"serviceAccountEmail": PUSHER, "audience": URL}


def subscription_of(google: FakeGoogle) -> dict[str, object]:
    found: dict[str, object] = call(google.address, "GET", SUBSCRIPTION)
    return found


def patches(calls: Iterable[Call]) -> list[Call]:
    return [one for one in calls if one.method == "PATCH" and one.api == "pubsub"]


@pytest.mark.emulator
def test_in_an_empty_project_everything_is_made_and_a_second_run_changes_nothing(
    emulated: FakeGoogle, provision: Provision
) -> None:
    first = provision(emulated, "--yes")

    assert first.exit_code == 0, first.output
    assert "43 made, 2 waiting" in first.stdout
    refused = [one for one in emulated.mutations() if one.status >= 400]
    assert refused == []
    subscription = subscription_of(emulated)
    assert "pushEndpoint" not in subscription.get("pushConfig", {})  # type: ignore[operator]
    assert subscription["expirationPolicy"] == {}
    assert subscription["ackDeadlineSeconds"] == 10
    assert subscription["retryPolicy"] == {"minimumBackoff": "10s", "maximumBackoff": "600s"}
    emulated.clear()

    second = provision(emulated, "--yes")

    assert second.exit_code == 0, second.output
    assert "nothing to do, 2 waiting, 43 left as it is" in second.stdout
    assert emulated.mutations() == []


@pytest.mark.emulator
def test_once_there_is_a_service_the_push_account_is_let_in_and_messages_are_pushed_with_a_token(
    emulated: FakeGoogle, provision: Provision
) -> None:
    provision(emulated, "--yes")
    emulated.service()
    emulated.clear()

    result = provision(emulated, "--yes")

    assert result.exit_code == 0, result.output
    service = "projects/demo-project/locations/europe-west1/services/feature-worker"
    assert members(emulated, "run", service, "run.invoker") == [f"serviceAccount:{PUSHER}"]
    config = subscription_of(emulated)["pushConfig"]
    assert isinstance(config, dict)
    assert (config["pushEndpoint"], config["oidcToken"]) == (f"{URL}/", TOKEN)
    assert [one.method for one in emulated.mutations()] == ["POST", "PATCH"]  # first it is let in
    emulated.clear()
    assert "nothing to do, 45 left as it is" in provision(emulated, "--yes").stdout
    assert emulated.mutations() == []


@pytest.mark.emulator
def test_a_drifted_ack_deadline_is_mended_and_the_token_stays(
    emulated: FakeGoogle, provision: Provision
) -> None:
    provision(emulated, "--yes")
    emulated.service()
    provision(emulated, "--yes")
    drift = {
        "subscription": {"name": SUBSCRIPTION, "ackDeadlineSeconds": 60},
        "updateMask": "ackDeadlineSeconds",
    }
    call(emulated.address, "PATCH", SUBSCRIPTION, drift)
    emulated.clear()

    result = provision(emulated, "--yes")

    change = "subscription feature-worker                          ack deadline 60 -> 10"
    assert lines_with("~", result.stdout) == [change]
    (patch,) = emulated.mutations()
    assert patch.body["updateMask"] == "ackDeadlineSeconds"
    mended = subscription_of(emulated)
    assert mended["ackDeadlineSeconds"] == 10
    assert mended["pushConfig"]["oidcToken"] == TOKEN  # type: ignore[index]


@pytest.mark.parametrize("expiry", [{"ttl": "2678400s"}, None])
def test_a_subscription_that_would_expire_is_mended(
    google: FakeGoogle, provision: Provision, expiry: dict[str, str] | None
) -> None:
    provision(google, "--yes")
    subscription = google.resources["pubsub", SUBSCRIPTION]
    subscription.pop("expirationPolicy")
    if expiry is not None:
        subscription["expirationPolicy"] = expiry

    provision(google, "--yes")

    assert google.resources["pubsub", SUBSCRIPTION]["expirationPolicy"] == {}


@pytest.mark.emulator
def test_the_push_configuration_is_sent_whole_and_keeps_what_is_not_ours(
    emulated: FakeGoogle, provision: Provision
) -> None:
    provision(emulated, "--yes")
    emulated.service()
    elsewhere = {"pushEndpoint": "https://elsewhere.example", "noWrapper": {"writeMetadata": True}}
    drift = {
        "subscription": {"name": SUBSCRIPTION, "pushConfig": elsewhere},
        "updateMask": "pushConfig",
    }
    call(emulated.address, "PATCH", SUBSCRIPTION, drift)
    emulated.clear()

    provision(emulated, "--yes")

    (patch,) = patches(emulated.mutations())
    assert patch.body["updateMask"] == "pushConfig"
    assert patch.body["subscription"]["pushConfig"] == {
        **elsewhere, "pushEndpoint": f"{URL}/", "oidcToken": TOKEN,
    }  # fmt: skip


def test_where_the_service_is_there_first_one_run_does_all(
    google: FakeGoogle, provision: Provision
) -> None:
    google.enable("run")
    google.service()

    result = provision(google, "--yes")

    assert result.exit_code == 0, result.output
    assert "45 made" in result.stdout
    assert google.resources["pubsub", SUBSCRIPTION]["pushConfig"]["oidcToken"] == TOKEN


def test_a_topic_that_is_there_is_taken_as_it_is(google: FakeGoogle, provision: Provision) -> None:
    google.enable("pubsub")
    theirs = {"name": TOPIC, "labels": {"team": "shop"}, "kmsKeyName": "k"}
    google.resources["pubsub", TOPIC] = dict(theirs)

    assert provision(google, "--yes").exit_code == 0

    assert google.resources["pubsub", TOPIC] == theirs


def test_somebody_elses_roles_and_conditions_stay(google: FakeGoogle, provision: Provision) -> None:
    conditional = {
        "role": "roles/pubsub.viewer",
        "members": ["user:a@example.com"],
        "condition": {"title": "until May", "expression": "true"},
    }
    theirs = [{"role": "roles/owner", "members": ["user:you@example.com"]}, conditional]
    google.policies["cloudresourcemanager", "projects/demo-project"] = {
        "version": 3, "bindings": theirs,
    }  # fmt: skip

    assert provision(google, "--yes").exit_code == 0

    policy = google.policies["cloudresourcemanager", "projects/demo-project"]
    written = [one for one in google.mutations() if one.path.endswith("demo-project:setIamPolicy")]
    assert {one.body["policy"]["version"] for one in written} == {3}  # else conditions are lost
    assert all(binding in policy["bindings"] for binding in theirs)
    builder = f"serviceAccount:{EMAIL.format('feature-worker-build')}"
    found = [
        binding["members"]
        for binding in policy["bindings"]
        if binding["role"] == "roles/pubsub.viewer" and "condition" not in binding
    ]
    assert found == [[builder]]


def test_every_policy_is_asked_for_with_its_conditions(
    google: FakeGoogle, provision: Provision
) -> None:
    """Where it is asked for otherwise the conditions are left out, and lost when it is written."""
    provision(google, "--yes")

    asked = [one for one in google.calls if one.path.endswith(":getIamPolicy")]
    assert len(asked) > 10
    for one in asked:
        version = (
            one.query.get("options.requestedPolicyVersion")
            or (one.body["options"]["requestedPolicyVersion"])
        )
        assert int(version) == 3, one.path


def test_what_is_refused_is_said_the_rest_is_done_and_another_run_completes_it(
    google: FakeGoogle, provision: Provision
) -> None:
    google.fail("pubsub", "PUT", r"topics/feature-worker-quarantine$", 403, "You may not.")

    first = provision(google, "--yes")

    assert first.exit_code == 1
    assert "! topic feature-worker-quarantine" in first.stdout
    assert "Pub/Sub answered 403: You may not." in first.stdout
    assert "Mend that, and run it again: python -m worker provision --settings=" in first.stdout
    assert ("pubsub", TOPIC) in google.resources
    assert ("pubsub", f"{TOPIC.removesuffix('features')}feature-worker-quarantine") not in (
        google.resources
    )
    google.heal()

    second = provision(google, "--yes")

    assert second.exit_code == 0
    titles = [line.split("  ")[0] for line in lines_with("+", second.stdout)]
    assert "topic feature-worker-quarantine" in titles
    assert len(titles) <= 3  # and what needs it
    assert "nothing to do" in provision(google, "--yes").stdout


def test_what_cannot_be_read_is_said_and_not_touched(
    google: FakeGoogle, provision: Provision
) -> None:
    provision(google, "--yes")
    google.fail("artifactregistry", "GET", "repositories", 403, "You may not look.")
    google.clear()

    result = provision(google, "--yes")

    assert result.exit_code == 1
    assert "Artifact Registry answered 403: You may not look." in result.stdout
    assert google.mutations() == []


def test_apis_that_were_just_enabled_are_waited_for(
    google: FakeGoogle, provision: Provision, slept: list[float]
) -> None:
    said = "run.googleapis.com has not been used in project 1 before or it is disabled. Enable it"
    google.fail("iam", "POST", "serviceAccounts$", 403, said, times=3)

    assert provision(google, "--yes").exit_code == 0
    assert slept == [5, 5, 5]


def test_patience_ends(google: FakeGoogle, provision: Provision, slept: list[float]) -> None:
    google.fail("iam", "", "serviceAccounts", 400, "Service account x does not exist.")

    assert provision(google, "--yes").exit_code == 1
    assert sum(slept) == 120


def test_a_policy_that_was_written_in_between_is_read_again(
    google: FakeGoogle, provision: Provision, slept: list[float]
) -> None:
    google.enable("iam", "cloudresourcemanager")
    google.fail("cloudresourcemanager", "POST", "setIamPolicy", 409, "changed", times=1)

    assert provision(google, "--yes").exit_code == 0
    assert slept == [5]


def test_operations_that_take_their_time_are_awaited(
    google: FakeGoogle, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.project.google._LOOK_SECONDS", 0.001)
    google.slow_operations = True
    result = provision(google, "--yes")
    assert result.exit_code == 0, result.output


def test_an_operation_that_fails_is_said(google: FakeGoogle, provision: Provision) -> None:
    google.fail("firestore", "POST", "databases", 400, "No such location.")
    result = provision(google, "--yes")
    assert result.exit_code == 1
    assert "Firestore answered 400: No such location." in result.stdout


@pytest.mark.parametrize(
    ("place", "found", "why"),
    [
        (
            ("artifactregistry", REPOSITORY),
            {"format": "MAVEN"},
            "it is not for images",
        ),
        (
            ("firestore", "projects/demo-project/databases/(default)"),
            {"type": "DATASTORE_MODE"},
            "it is in Datastore mode",
        ),
        (("pubsub", SUBSCRIPTION), {"topic": f"{TOPIC}-2"}, "it belongs to another topic"),
        (("pubsub", SUBSCRIPTION), {"topic": "_deleted-topic_"}, "its topic was deleted"),
        (("pubsub", SUBSCRIPTION), {"topic": TOPIC, "detached": True}, "it is detached"),
        (
            ("iam", f"projects/demo-project/serviceAccounts/{PUSHER}"),
            {"email": PUSHER, "disabled": True},
            "it is disabled",
        ),
        (
            ("monitoring", "projects/demo-project/dashboards/1"),
            {"displayName": "Feature worker: feature-worker"},
            "one of this name was made by somebody else",
        ),
    ],
)  # fmt: skip
def test_what_can_never_fit_is_said_and_left_alone(
    google: FakeGoogle,
    provision: Provision,
    place: tuple[str, str],
    found: dict[str, object],
    why: str,
) -> None:
    google.enable("artifactregistry", "firestore", "pubsub", "iam", "monitoring")
    planted = {"name": place[1], **found}
    google.resources[place] = dict(planted)

    result = provision(google, "--yes")

    assert result.exit_code == 1
    (line,) = [line for line in lines_with("!", result.stdout) if why in line]
    assert google.resources[place] == planted, line


def test_pubsubs_agent_is_asked_for_only_until_it_has_its_role(
    google: FakeGoogle, provision: Provision
) -> None:
    provision(google, "--yes")
    asked = [one for one in google.calls if "generateServiceIdentity" in one.path]
    assert len(asked) == 1
    account = f"projects/demo-project/serviceAccounts/{PUSHER}"
    assert AGENT in members(google, "iam", account, "iam.serviceAccountTokenCreator")


def test_without_a_bucket_nobody_asks_cloud_storage(google: FakeGoogle) -> None:
    environment: dict[str, Any] = google.environment
    assert run("provision", "--yes", "--project", "demo-project", **environment).exit_code == 0
    assert [one for one in google.calls if one.api == "storage"] == []
    assert ("serviceusage", f"projects/{google.project}/services/storage.googleapis.com") not in (
        google.resources
    )


def test_the_bucket_is_private_and_the_worker_may_write_to_it(
    google: FakeGoogle, provision: Provision
) -> None:
    provision(google, "--yes")
    bucket = google.resources[BUCKET]
    assert bucket["location"] == "EUROPE-WEST1"
    assert bucket["labels"] == {"managed-by": "feature-worker"}
    assert bucket["iamConfiguration"] == PRIVATE
    runtime = f"serviceAccount:{EMAIL.format('feature-worker')}"
    assert members(google, *BUCKET, "storage.objectUser") == [runtime]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"publicAccessPrevention": "inherited"}, "public access prevention"),
        ({"uniformBucketLevelAccess": {"enabled": False}}, "uniform access"),
    ],
)
def test_a_bucket_of_ours_that_was_opened_is_made_private_again(
    google: FakeGoogle, provision: Provision, wrong: dict[str, object], said: str
) -> None:
    provision(google, "--yes")
    google.resources[BUCKET] |= {"iamConfiguration": PRIVATE | wrong, "labels": {**OURS, "a": "b"}}

    result = provision(google, "--yes")

    (line,) = lines_with("~", result.stdout)
    assert line.split("  ")[0] == "bucket demo-artifacts"
    assert line.endswith(f"  {said}")
    assert google.resources[BUCKET]["iamConfiguration"] == PRIVATE
    assert google.resources[BUCKET]["labels"] == {**OURS, "a": "b"}


def test_a_bucket_of_somebody_else_is_used_as_it_is(
    google: FakeGoogle, provision: Provision
) -> None:
    google.enable("storage")
    theirs = {"name": "demo-artifacts", "iamConfiguration": {"publicAccessPrevention": "inherited"}}
    google.resources[BUCKET] = dict(theirs)
    google.policies[BUCKET] = {"bindings": [{"role": "roles/storage.admin", "members": ["user:a"]}]}

    assert provision(google, "--yes").exit_code == 0

    assert google.resources[BUCKET] == theirs
    assert members(google, *BUCKET, "storage.admin") == ["user:a"]
    assert len(members(google, *BUCKET, "storage.objectUser")) == 1


def test_a_bucket_that_belongs_to_a_stranger_is_said_and_the_rest_is_made(
    google: FakeGoogle, provision: Provision
) -> None:
    google.enable("storage")
    google.fail("storage", "GET", "demo-artifacts", 403, "You do not have storage.buckets.get.")
    result = provision(google, "--yes")
    assert result.exit_code == 1
    (bucket, grant) = lines_with("!", result.stdout)
    assert bucket.startswith("bucket demo-artifacts ")
    assert grant.startswith("storage.objectUser for the worker ")
    assert "Cloud Storage answered 403" in bucket


def test_each_thing_has_its_own_title() -> None:
    titles = [(one.title, one.about) for one in resources_of(Deployment(project="demo-project"))]
    assert len(set(titles)) == len(titles)
