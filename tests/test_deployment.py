"""deploy.toml: read whole or not at all, with every problem in one line and no value in it."""

import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.server import ROOT
from worker.config import Settings
from worker.deployment import Deployment, DeploymentInvalid, pubsub_agent, read_deployment

TEXT = st.text(max_size=40)  # TOML has no lone surrogates
NAMES = st.sampled_from(sorted(Deployment.model_fields)) | TEXT
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(autouse=True)
def no_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No project but that which a test gives, and no deploy.toml."""
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Path:
    path = Path("some.toml")
    path.write_text(text)
    return path


def problem_of(text: str, **given: Any) -> str:
    with pytest.raises(DeploymentInvalid) as invalid:
        read_deployment(written(text), **{"project": "demo"} | given)
    return str(invalid.value)


def said(**given: Any) -> str:
    """What is wrong, "" where it is a deployment."""
    try:
        read_deployment(**given)
    except DeploymentInvalid as invalid:
        return str(invalid)
    return ""


def test_without_a_file_the_defaults_hold() -> None:
    assert read_deployment(project="demo") == Deployment(project="demo")


def test_the_file_that_is_shipped_says_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert read_deployment(project="demo") == Deployment(project="demo")


def test_what_is_given_comes_before_the_file_and_that_before_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "of-the-shell")
    assert read_deployment().project == "of-the-shell"
    path = written('project = "of-the-file"')
    assert read_deployment(path).project == "of-the-file"
    assert read_deployment(path, project="given").project == "given"
    assert read_deployment(path, project=None).project == "of-the-file"


def test_the_file_in_the_folder_is_read_when_none_is_named() -> None:
    Path("deploy.toml").write_text('region = "us-central1"')
    assert read_deployment(project="demo").region == "us-central1"


def test_a_file_that_was_named_has_to_be_there() -> None:
    with pytest.raises(DeploymentInvalid, match=r"^other\.toml is not there$"):
        read_deployment(Path("other.toml"), project="demo")


def test_without_a_project_it_says_where_to_give_one() -> None:
    with pytest.raises(DeploymentInvalid, match="--project, or set GOOGLE_CLOUD_PROJECT"):
        read_deployment()


def test_all_problems_are_in_one_line() -> None:
    problem = problem_of('region = "SECRET"\nack_deadline_seconds = 5\nregoin = "x"')
    assert problem == (
        "some.toml: region does not fit (want a region such as europe-west1); "
        "ack_deadline_seconds does not fit (want 10 to 600); "
        "regoin is no setting (docs/provision.md lists them)"
    )


@pytest.mark.parametrize(
    "line",
    [
        "handler_threads = true",
        'handler_threads = "8"',
        "handler_threads = 8.5",
        "handler_threads = 0",
        'project = "demo\\n"',
        'topic = "features; rm -rf /"',
        'topic = "google-features"',
        'topic = "features\\n"',
        'region = "europe-west\u0661"',
        'claims = "sqlite"',
        'claims = "firestore:x"',
        'claims = "redis://host/0\\n"',
        'artifacts = "folder:artifacts"',
        'artifacts = "gs://Bucket"',
        'artifacts = "gs://bucket/a,b"',
        'artifacts = "gs://bucket/a\\n"',
        'unknown_feature = "Build"',
        'alert_emails = "you@example.com"',
        'alert_emails = ["you"]',
        'alert_emails = ["you@example.com,role=owner"]',
        "alert_emails = ['you\"@example.com']",
        'alert_emails = ["you@example.com\\n"]',
        "service = []",
    ],
)
def test_what_does_not_fit_is_refused_by_name(line: str) -> None:
    name = line.partition(" ")[0]
    given = {"project": None} if name == "project" else {}
    assert problem_of(line, **given).startswith(f"some.toml: {name} does not fit (want ")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('topic = "feature-worker-dead"', "topic and dead_letter_topic"),
        ('quarantine_topic = "features"', "topic and quarantine_topic"),
        ('quarantine_topic = "feature-worker-dead"', "dead_letter_topic and quarantine_topic"),
        ('subscription = "feature-worker-dead"', "subscription and dead_letter_topic"),
        ('push_account = "feature-worker"', "runtime_account and push_account"),
        ('build_account = "feature-worker-push"', "push_account and build_account"),
    ],
)
def test_two_things_cannot_have_one_name(text: str, names: str) -> None:
    assert problem_of(text) == f"some.toml: {names} are the same (want different names)"


def test_the_shortest_delay_is_not_above_the_longest() -> None:
    assert "min_retry_seconds is more than" in problem_of("max_retry_seconds = 5")


@pytest.mark.parametrize(
    "text", ["a = ", "x = " + "[" * 100_000, "x = " + "1" * 5000, "\x00", "x = 2020-13-01"]
)
def test_what_is_no_toml_is_one_line(text: str) -> None:
    assert problem_of(text).startswith("some.toml is no TOML")


def test_what_is_no_text_is_one_line() -> None:
    path = Path("bytes.toml")
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(DeploymentInvalid, match="cannot be read"):
        read_deployment(path)


def test_a_folder_is_no_file() -> None:
    with pytest.raises(DeploymentInvalid, match="cannot be read: IsADirectoryError"):
        read_deployment(Path())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text())
@example("'\u2028' = 1")
@example('"a\\nb" = 1')
def test_any_text_is_a_deployment_or_one_line(text: str) -> None:
    path = Path("any.toml")
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    assert said(path=path, project="demo").isprintable()


@given(st.dictionaries(NAMES, VALUES, max_size=5))
def test_any_settings_are_a_deployment_or_one_line(
    found: dict[str, Any],
) -> None:
    assert said(**{"project": "demo"} | found).isprintable()


@given(st.sampled_from(sorted(Deployment.model_fields)), st.text(string.ascii_letters, min_size=9))
def test_no_problem_repeats_a_value(name: str, value: str) -> None:
    secret = f"SECRET {value}"  # a space fits nowhere
    found: dict[str, Any] = {"project": "demo", name: secret}
    problem = said(**found)
    assert problem
    assert secret not in problem


def test_the_worker_takes_what_a_deployment_may_say() -> None:
    """Else a build would deploy a worker that does not start."""
    for claims in ("memory", "firestore", "firestore:(default)", "firestore:claims"):
        Deployment(project="demo", claims=claims)
        Settings.model_validate({"claims": claims})
    for artifacts in ("none", "gs://bucket", "gs://my.bucket_1/a/b.c-d_e/"):
        Deployment(project="demo", artifacts=artifacts)
        Settings.model_validate({"artifacts": artifacts})
    for unknown in ("reject", "build"):
        Settings.model_validate({"unknown_feature": unknown})


def test_full_names_follow_from_the_settings() -> None:
    deployment = Deployment(project="demo", claims="firestore:claims")
    assert deployment.topic_name("t") == "projects/demo/topics/t"
    assert deployment.subscription_name("s") == "projects/demo/subscriptions/s"
    assert deployment.service_name == "projects/demo/locations/europe-west1/services/feature-worker"
    assert deployment.email("me") == "me@demo.iam.gserviceaccount.com"
    assert deployment.database == "claims"
    assert deployment.retention_seconds == 7 * 86_400
    assert deployment.dead_letter_retention_seconds == 31 * 86_400
    assert pubsub_agent("42") == "service-42@gcp-sa-pubsub.iam.gserviceaccount.com"


@pytest.mark.parametrize(
    ("claims", "database"),
    [("firestore", "(default)"), ("memory", ""), ("redis://127.0.0.1:6379/0", "")],
)
def test_only_claims_in_firestore_have_a_database(claims: str, database: str) -> None:
    assert Deployment(project="demo", claims=claims).database == database


@pytest.mark.parametrize(
    ("artifacts", "bucket"),
    [
        ("", ""),
        ("none", ""),
        ("gs://mine", "mine"),
        ("gs://mine/", "mine"),
        ("gs://m-1/a/b", "m-1"),
    ],
)
def test_only_artifacts_in_cloud_storage_have_a_bucket(artifacts: str, bucket: str) -> None:
    assert Deployment(project="demo", artifacts=artifacts).bucket == bucket
