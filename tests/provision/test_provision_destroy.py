"""--destroy: what provision made goes, and nothing else."""

import pytest

from tests.provision.conftest import Provision
from tests.provision.support import (
    EMAIL,
    REPOSITORY,
    SUBSCRIPTION,
    TOPIC,
    call,
    lines_with,
    members,
)
from tests.support.google import FakeGoogle

LEFT_BY_US = {"Firestore database (default)", "TTL policy of the claims", "APIs"}
LEFT_BY_GOOGLE = {"Pub/Sub's service agent"}
APIS_OF_OURS = ("iam", "artifactregistry", "pubsub", "monitoring", "storage")
BUCKET = ("storage", "b/demo-artifacts")
PROJECT = ("cloudresourcemanager", "projects/demo-project")


def titles(mark: str, output: str) -> set[str]:
    return {line.split("  ")[0] for line in lines_with(mark, output)}


def whats_left(google: FakeGoogle) -> list[str]:
    """Resources that are neither Google's own nor the service's."""
    return [
        name
        for api, name in google.resources
        if api in APIS_OF_OURS and "gcp-sa-pubsub" not in name
    ]


@pytest.mark.emulator
def test_what_was_made_goes_and_a_second_run_has_nothing_to_do(
    emulated: FakeGoogle, provision: Provision
) -> None:
    emulated.enable("run")
    emulated.service()
    provision(emulated, "--yes")

    result = provision(emulated, "--destroy", "--yes")

    assert result.exit_code == 0, result.output
    assert "40 removed, 4 left as it is" in result.stdout
    assert titles("=", result.stdout) == LEFT_BY_US | LEFT_BY_GOOGLE
    assert whats_left(emulated) == []
    assert [name for api, name in emulated.resources if "/metrics/" in name] == []
    for kind in ("topics", "subscriptions"):
        assert call(emulated.address, "GET", f"projects/demo-project/{kind}") == {}
    granted = [policy["bindings"] for policy in emulated.policies.values() if policy["bindings"]]
    assert granted == []
    assert "gcloud run services delete feature-worker --region=europe-west1" in result.stdout
    emulated.clear()

    second = provision(emulated, "--destroy", "--yes")

    assert second.exit_code == 0
    assert "nothing to do, 4 left as it is" in second.stdout
    assert emulated.mutations() == []


@pytest.mark.emulator
def test_what_others_made_stays_and_only_our_roles_on_it_go(
    emulated: FakeGoogle, provision: Provision
) -> None:
    emulated.enable("pubsub", "iam", "artifactregistry")
    call(emulated.address, "PUT", TOPIC, {"labels": {"team": "shop"}})
    account = f"projects/demo-project/serviceAccounts/{EMAIL.format('feature-worker')}"
    emulated.account(EMAIL.format("feature-worker"))
    emulated.policies[PROJECT] = {
        "bindings": [{"role": "roles/owner", "members": ["user:you@example.com"]}]
    }
    provision(emulated, "--yes")

    result = provision(emulated, "--destroy", "--yes")

    assert result.exit_code == 0, result.output
    assert titles("=", result.stdout) - LEFT_BY_US - LEFT_BY_GOOGLE == {
        "topic features", "service account feature-worker",
    }  # fmt: skip
    assert "stays: it was not made by provision" in result.stdout
    assert call(emulated.address, "GET", TOPIC)["labels"] == {"team": "shop"}
    assert members(emulated, "pubsub", TOPIC, "pubsub.publisher") == []
    assert ("iam", account) in emulated.resources
    assert members(emulated, *PROJECT, "owner") == ["user:you@example.com"]


@pytest.mark.emulator
def test_a_topic_that_others_subscribe_to_stays(emulated: FakeGoogle, provision: Provision) -> None:
    provision(emulated, "--yes")
    theirs = "projects/demo-project/subscriptions/reports"
    call(emulated.address, "PUT", theirs, {"topic": TOPIC})

    result = provision(emulated, "--destroy", "--yes")

    assert f"stays: others subscribe to it ({theirs})" in result.stdout
    assert call(emulated.address, "GET", TOPIC)["name"] == TOPIC
    assert call(emulated.address, "GET", theirs)["topic"] == TOPIC


def test_a_bucket_with_files_in_it_stays_and_only_our_role_on_it_goes(
    google: FakeGoogle, provision: Provision
) -> None:
    provision(google, "--yes")
    google.resources["storage", "b/demo-artifacts/o/report.pdf"] = {"name": "report.pdf"}

    result = provision(google, "--destroy", "--yes")

    (line,) = [one for one in lines_with("=", result.stdout) if one.startswith("bucket")]
    assert line.endswith("stays: there are files in it")
    assert BUCKET in google.resources
    assert members(google, *BUCKET, "storage.objectUser") == []


def test_a_bucket_of_somebody_else_stays(google: FakeGoogle, provision: Provision) -> None:
    google.enable("storage")
    google.resources[BUCKET] = {"name": "demo-artifacts"}
    provision(google, "--yes")
    result = provision(google, "--destroy", "--yes")
    assert "bucket demo-artifacts" in titles("=", result.stdout)
    assert google.resources[BUCKET] == {"name": "demo-artifacts"}


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (None, "with all messages it holds"),
        (3, "with the 3 messages it holds"),
        (0, "it holds no message"),
    ],
)
def test_the_plan_says_how_many_messages_would_go(
    google: FakeGoogle, provision: Provision, count: int | None, said: str
) -> None:
    provision(google, "--yes")
    if count is not None:
        metric = "pubsub.googleapis.com/subscription/num_undelivered_messages"
        google.series(metric, {"subscription_id": "feature-worker"}, [float(count), 7.0])

    result = provision(google, "--destroy", "--dry-run")

    (line,) = [
        line
        for line in lines_with("-", result.stdout)
        if line.startswith("subscription feature-worker ")
    ]
    assert line.endswith(said)


def test_a_project_that_is_not_measured_can_be_destroyed(
    google: FakeGoogle, provision: Provision
) -> None:
    provision(google, "--yes")
    google.fail("monitoring", "GET", "timeSeries", 403, "You may not.")
    result = provision(google, "--destroy", "--dry-run")
    assert "subscription feature-worker                          with all messages" in result.stdout


def test_a_service_that_cannot_be_looked_at_is_said_and_the_rest_goes(
    google: FakeGoogle, provision: Provision
) -> None:
    google.enable("run")
    google.service()
    provision(google, "--yes")
    google.fail("run", "GET", "services", 403, "You may not look.")

    result = provision(google, "--destroy", "--yes")

    assert result.exit_code == 1
    assert "! run.invoker for the pushes" in result.stdout
    assert "Cloud Run answered 403: You may not look." in result.stdout
    assert ("pubsub", SUBSCRIPTION) not in google.resources


def test_it_goes_only_when_the_projects_id_is_typed(
    google: FakeGoogle, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    provision(google, "--yes")
    google.clear()
    monkeypatch.setattr("worker.cli.provision._is_terminal", lambda: True)

    wrong = provision(google, "--destroy", stdin=b"yes\n")

    assert wrong.exit_code == 2
    assert wrong.stderr == "error: that is not the project's id: nothing was removed\n"
    assert google.mutations() == []

    right = provision(google, "--destroy", stdin=b"demo-project\n")

    assert google.mutations() != []
    assert ("pubsub", SUBSCRIPTION) not in google.resources
    assert "removed" in right.stdout


def test_an_empty_project_has_nothing_to_remove(google: FakeGoogle, provision: Provision) -> None:
    result = provision(google, "--destroy", "--yes")
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout
    assert google.mutations() == []


@pytest.mark.parametrize(
    ("place", "found", "title"),
    [
        (("pubsub", SUBSCRIPTION), {"topic": TOPIC}, "subscription feature-worker"),
        (
            ("artifactregistry", REPOSITORY),
            {"format": "DOCKER"},
            "repository feature-worker",
        ),
        (
            ("logging", "projects/demo-project/metrics/feature-worker-outcomes"),
            {"name": "feature-worker-outcomes"},
            "log-based metric feature-worker-outcomes",
        ),
        (
            ("monitoring", "projects/demo-project/dashboards/1"),
            {"displayName": "Feature worker: feature-worker"},
            "dashboard",
        ),
        (
            ("monitoring", "projects/demo-project/notificationChannels/1"),
            {"type": "email", "labels": {"email_address": "a@example.com"}},
            "notification channel a@example.com",
        ),
    ],
)  # fmt: skip
def test_without_our_mark_nothing_is_removed(
    google: FakeGoogle,
    provision: Provision,
    place: tuple[str, str],
    found: dict[str, object],
    title: str,
) -> None:
    google.enable("pubsub", "artifactregistry")
    google.resources[place] = {"name": place[1], **found}

    result = provision(google, "--destroy", "--yes")

    assert title in titles("=", result.stdout)
    assert place in google.resources
