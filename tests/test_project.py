"""Questions to a project: each is one call to the right API, at the address that it documents."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.google import FakeGoogle
from worker.project.apis import PROJECTS
from worker.project.policy import Policy
from worker.project.project import Project
from worker.rest import CallFailed

SERVICE = "projects/demo-project/locations/europe-west1/services/feature-worker"
TOPIC = "projects/demo-project/topics/features"
SUBSCRIPTION = "projects/demo-project/subscriptions/feature-worker"
ACCOUNT = "projects/demo-project/serviceAccounts/a@demo-project.iam.gserviceaccount.com"
BINDINGS = [{"role": "roles/viewer", "members": ["user:a@example.com"]}]


@pytest.fixture
def google(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGoogle]:
    with FakeGoogle() as google:
        for name, value in google.environment.items():
            monkeypatch.setenv(name, value)
        google.resources["pubsub", TOPIC] = {"name": TOPIC}
        google.resources["pubsub", SUBSCRIPTION] = {"name": SUBSCRIPTION, "topic": TOPIC}
        google.account("a@demo-project.iam.gserviceaccount.com")
        google.service()
        yield google


@pytest.fixture
def project(google: FakeGoogle) -> Project:
    return Project("demo-project")


def test_a_project_has_a_number(project: Project) -> None:
    assert project.number() == "123456789"


def test_resources_are_there_or_none(project: Project, google: FakeGoogle) -> None:
    revision = google.service().latest.name
    asks = [
        (project.topic, TOPIC), (project.subscription, SUBSCRIPTION),
        (project.service, SERVICE), (project.revision, revision),
    ]  # fmt: skip
    for ask, name in asks:
        found = ask(name)
        assert found is not None
        assert found["name"] == name
        assert ask(f"{name}-other") is None


@pytest.mark.parametrize(
    ("api", "name", "ask"),
    [
        ("pubsub", TOPIC, Project.pubsub_policy),
        ("pubsub", SUBSCRIPTION, Project.pubsub_policy),
        ("run", SERVICE, Project.service_policy),
        ("iam", ACCOUNT, Project.account_policy),
        ("cloudresourcemanager", "projects/demo-project", lambda project, _name: project.policy()),
    ],
)
def test_policies_are_asked_for_with_their_conditions(
    project: Project, google: FakeGoogle, api: str, name: str, ask: Callable[[Project, str], Policy]
) -> None:
    google.policies[api, name] = {"bindings": BINDINGS}

    assert ask(project, name).members("roles/viewer") == {"user:a@example.com"}

    (call,) = google.calls
    version = call.query.get("options.requestedPolicyVersion")
    assert version == "3" or call.body == {"options": {"requestedPolicyVersion": 3}}


def test_a_policy_of_what_is_not_there_is_refused(project: Project) -> None:
    with pytest.raises(CallFailed) as failed:
        project.pubsub_policy("projects/demo-project/topics/other")
    assert failed.value.status == 404


def test_series_are_those_of_a_metric_and_a_resource_in_the_last_minutes(
    project: Project, google: FakeGoogle
) -> None:
    metric = "pubsub.googleapis.com/subscription/num_undelivered_messages"
    google.series(metric, {"subscription_id": "feature-worker"}, (3, 2, 1))
    google.series(metric, {"subscription_id": "other"}, (9,))

    (one,) = project.series(metric, 2, subscription_id="feature-worker")

    assert [int(point["value"]["int64Value"]) for point in one["points"]][:2] == [3, 2]
    assert len(project.series(metric, 10)) == 2
    query = google.calls[0].query
    assert query["filter"] == (
        f'metric.type="{metric}" AND resource.labels.subscription_id="feature-worker"'
    )
    start, end = (
        datetime.fromisoformat(query[f"interval.{edge}Time"]) for edge in ("start", "end")
    )
    assert end - start == timedelta(minutes=2)
    assert abs(end - datetime.now(UTC)) < timedelta(minutes=1)


def test_sinks_are_listed(project: Project) -> None:
    assert "_Default" in {sink["name"] for sink in project.sinks()}


def test_a_project_that_may_not_be_read_says_so(google: FakeGoogle) -> None:
    with pytest.raises(CallFailed, match="Resource Manager answered 403") as failed:
        Project("another").number()
    assert failed.value.status == 403
    assert PROJECTS.name in str(failed.value)
