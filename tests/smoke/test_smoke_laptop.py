"""smoke against the laptop cloud: what is whole is proved, and each rung is broken for real."""

from collections.abc import Iterator

import pytest

from tests.smoke.stage import ACCOUNT, AUDIENCE, SUBSCRIPTION, TOPIC, Stage, in_thread
from tests.support.standin import Call, Reply, StandIn, unused_address

pytestmark = pytest.mark.server

OTHER = "other@demo.iam.gserviceaccount.com"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(tmp_path_factory.mktemp("smoke")).running() as stage:
        yield stage


@pytest.fixture
def stage(running: Stage) -> Stage:
    """Whole before each test, with nothing in the backlog and nothing refused lately."""
    running.mend()
    return running


@pytest.fixture
def credentials(stage: Stage) -> Iterator[StandIn]:
    """IAM Credentials, which makes tokens that the worker takes."""

    def answer(call: Call) -> Reply:
        account = call.path.rpartition("/")[2].partition(":")[0]
        return Reply.json({"token": stage.cloud.tokens.token(account, call.json()["audience"])})

    with StandIn(answer) as there:
        stage.variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS"] = f"{there.url}/"
        yield there


def test_a_healthy_deployment_is_proved_within_ten_seconds(stage: Stage) -> None:
    code, found = stage.smoke("--wait", "10")
    assert (code, found["verdict"], found["broken"], found["error"]) == (0, "proved", None, None)
    entry = found["entry"]["jsonPayload"]
    assert (entry["message_id"], entry["outcome"]) == (found["message_id"], "done")
    times = [found[name] for name in ("published", "pushed", "handled", "visible")]
    assert None not in times
    seconds = found["seconds"]
    assert seconds["published"] <= seconds["pushed"] <= seconds["handled"] <= seconds["visible"]


def test_a_revision_is_proved_by_its_url(stage: Stage, credentials: StandIn) -> None:
    code, found = stage.smoke(
        "--wait", "10", "--url", stage.worker_url, "--audience", AUDIENCE,
        "--revision", stage.revision,
    )  # fmt: skip
    assert (code, found["mode"], found["verdict"]) == (0, "url", "proved")
    assert (found["published"], found["revision"]) == (None, stage.revision)
    (call,) = credentials.calls
    assert call.path == f"/v1/projects/-/serviceAccounts/{ACCOUNT}:generateIdToken"
    assert call.json() == {"audience": AUDIENCE, "includeEmail": True}


def test_another_revision_than_the_one_asked_for_is_no_proof(
    stage: Stage, credentials: StandIn
) -> None:
    words = ("--url", stage.worker_url, "--audience", AUDIENCE)
    found = stage.broken(*words, "--revision", "feature-worker-00099-xyz")
    assert (found["rung"], stage.revision in found["what"]) == ("revision", True)


def test_a_deleted_topic(stage: Stage) -> None:
    stage.call("DELETE", TOPIC)
    found = stage.broken()
    assert found["rung"] == "topic"
    assert found["fix"] == ["gcloud pubsub topics create features --project=demo"]
    stage.call("PUT", TOPIC, {})
    found = stage.broken()
    assert (found["rung"], found["evidence"]["topic"]) == ("subscription", "_deleted-topic_")
    assert [one.split()[3] for one in found["fix"]] == ["delete", "create"]


def test_a_deleted_subscription(stage: Stage) -> None:
    stage.call("DELETE", SUBSCRIPTION)
    found = stage.broken()
    assert found["rung"] == "subscription"
    (command,) = found["fix"]
    assert command.startswith("gcloud pubsub subscriptions create feature-worker --project=demo")
    assert f"--push-endpoint={stage.worker_url}/" in command


def test_a_detached_subscription(stage: Stage) -> None:
    stage.call("POST", f"{SUBSCRIPTION}:detach")
    found = stage.broken()
    assert (found["rung"], found["evidence"]["detached"]) == ("subscription", True)


def test_a_subscription_that_pushes_elsewhere(stage: Stage) -> None:
    stage.push_config(pushEndpoint=f"http://{unused_address()}/")
    found = stage.broken()
    assert (found["rung"], found["evidence"]["service"]) == ("endpoint_url", stage.worker_url)
    (command,) = found["fix"]
    assert f"--push-endpoint={stage.worker_url}/" in command
    assert f"--push-auth-service-account={ACCOUNT}" in command  # whole, or the token is dropped


@pytest.mark.parametrize("path", ["/pubsub/push", None])
def test_a_subscription_that_pushes_to_no_path_of_the_worker(
    stage: Stage, path: str | None
) -> None:
    stage.push_config(pushEndpoint=path and f"{stage.worker_url}{path}")
    assert stage.broken()["rung"] == "endpoint_url"


def test_a_url_that_is_no_worker(stage: Stage) -> None:
    found = stage.broken("--url", f"{stage.worker_url}/pubsub/push")
    assert (found["rung"], found["evidence"]["status"]) == ("endpoint_url", 404)


def test_a_worker_that_was_killed(stage: Stage) -> None:
    stage.kill()
    assert stage.broken()["rung"] == "revision"  # Cloud Run's part knows it
    del stage.variables["CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN"]
    found = stage.broken()
    assert found["rung"] == "endpoint_reachable"
    assert found["fix"][0].startswith("gcloud run services describe feature-worker")
    assert stage.broken("--url", stage.worker_url)["rung"] == "endpoint_reachable"


def test_a_revision_that_does_not_start(stage: Stage) -> None:
    stage.end()
    stage.begin(HANDLERS="no_such_handlers")
    stage.forget()  # a push of the test before may have been logged after it was mended
    found = stage.broken()
    assert found["rung"] == "revision"
    assert [one.split()[:4] for one in found["fix"]] == [
        ["gcloud", "run", "revisions", "describe"],
        ["gcloud", "logging", "read", found["fix"][1].split()[3]],
    ]


def test_a_push_account_that_may_not_invoke(stage: Stage) -> None:
    stage.invokers(f"serviceAccount:{OTHER}")
    found = stage.broken()
    assert found["rung"] == "iam"
    (command,) = found["fix"]
    assert command == (
        "gcloud run services add-iam-policy-binding feature-worker --region=europe-west1"
        f" --project=demo --member=serviceAccount:{ACCOUNT} --role=roles/run.invoker"
    )


def test_pushes_without_a_token_at_a_service_that_is_not_public(stage: Stage) -> None:
    stage.invokers(f"serviceAccount:{ACCOUNT}")
    stage.push_config(oidcToken=None)
    found = stage.broken()
    assert found["rung"] == "iam"
    assert found["fix"][0].startswith("gcloud pubsub subscriptions update feature-worker")


def test_a_token_for_another_audience(stage: Stage) -> None:
    stage.push_config(oidcToken={"serviceAccountEmail": ACCOUNT, "audience": "elsewhere"})
    found = stage.broken()
    assert (found["rung"], found["evidence"]["statuses"]) == ("token", [401])
    assert "InvalidAudienceError" in found["evidence"]["reasons"][0]
    assert [one.split()[3] for one in found["fix"]] == ["update", "update"]


def test_a_token_of_another_account(stage: Stage) -> None:
    stage.push_config(oidcToken={"serviceAccountEmail": OTHER, "audience": AUDIENCE})
    found = stage.broken()
    assert (found["rung"], found["evidence"]["statuses"]) == ("token", [403])
    assert "another account" in found["what"]


def test_a_token_of_another_account_at_a_url(stage: Stage, credentials: StandIn) -> None:
    words = ("--url", stage.worker_url, "--audience", AUDIENCE, "--as", OTHER)
    found = stage.broken(*words)
    assert found["rung"] == "token"
    assert "another account" in found["what"]  # the answer does not say it, the log does


def test_a_backlog(stage: Stage) -> None:
    stage.pause()
    for _ in range(3):
        stage.publish(b"{}")
    stage.cloud.clock.advance(60)
    found = stage.broken()
    assert (found["rung"], found["evidence"]["messages"]) == ("backlog", 4)
    assert "--max-instances=20" in found["fix"][0]


def test_a_handler_that_retries(stage: Stage) -> None:
    stage.do("retry")
    found = stage.broken()
    assert found["rung"] == "nacks"
    assert "the warehouse is closed" in found["what"]
    assert found["evidence"]["deliveries"][0]["outcome"] == "retry"


def test_a_message_that_pubsub_gave_up_on(stage: Stage) -> None:
    stage.attempts(5)
    stage.do("retry")
    found = stage.broken(wait=2)
    assert (found["rung"], found["evidence"]["attempts"]) == ("dead_lettered", 5)
    assert "the warehouse is closed" in found["what"]
    assert stage.dead_letters() == 1  # it was left where it was


def test_a_feature_that_is_not_registered(stage: Stage) -> None:
    stage.end()
    stage.begin(HANDLERS="empty_handlers")
    found = stage.broken(wait=5)
    assert found["rung"] == "quarantined"
    assert "no handler is registered for smoke_test" in found["what"]
    assert found["evidence"]["quarantine"]


def test_a_handler_that_crashes(stage: Stage) -> None:
    stage.do("crash")
    found = stage.broken()
    assert found["rung"] == "crashed"
    assert "raise ZeroDivisionError" in found["evidence"]["stack_trace"]


def test_a_sink_that_leaves_the_entries_out(stage: Stage) -> None:
    stage.exclusions('jsonPayload.event="message.processed"')
    found = stage.broken()
    assert found["rung"] == "log_sink"
    assert found["fix"][0] == (
        "gcloud logging sinks update _Default --project=demo --remove-exclusions=no-0"
    )


def test_it_goes_on_until_a_later_delivery_is_done(stage: Stage) -> None:
    stage.do("retry")
    results: list[tuple[int, dict[str, object]]] = []
    smoking = in_thread(lambda: results.append(stage.smoke("--wait", "20")))
    stage.wait_for_entry('jsonPayload.outcome="retry"')
    stage.do("done")
    smoking.join(30)
    ((code, found),) = results
    assert (code, found["verdict"]) == (0, "proved")
