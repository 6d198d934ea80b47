"""Push delivery to the real worker: what it answers is what becomes of the message."""

from collections.abc import Iterator

import pytest
from flask import Flask
from google.pubsub_v1 import types

from tests.conftest import Serve
from tests.support.push_delivery import PushCloud
from worker.local.pubsub.push.faults import FaultSettings
from worker.local.pubsub.push.routes import blueprint
from worker.local.web import WebServer

pytestmark = pytest.mark.server

ACCOUNT = "pusher@demo.iam.gserviceaccount.com"
SMOKE_TEST = b'{"feature": "smoke_test", "description": "verify logs"}'


def name_of(name: str) -> str:
    return f"projects/demo/subscriptions/{name}"


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PushCloud]:
    with PushCloud(tmp_path_factory.mktemp("state")) as running:
        yield running


@pytest.fixture
def certificates(cloud: PushCloud) -> Iterator[str]:
    """Where the laptop cloud serves the keys of its tokens."""
    app = Flask(__name__)
    app.register_blueprint(blueprint(cloud.tokens, cloud.faults, cloud.clock))
    server = WebServer(app, 0, 0)
    server.start()
    yield f"http://127.0.0.1:{server.port}/oauth2/v1/certs"
    server.stop()


def test_the_worker_takes_all_forms_and_logs_their_traces(cloud: PushCloud, serve: Serve) -> None:
    worker = serve(PUSH_AUTH="none")
    forms = {
        "wrapped": None,
        "unwrapped": {"no_wrapper": types.PushConfig.NoWrapper(write_metadata=True)},
        "unwrapped-no-metadata": {"no_wrapper": types.PushConfig.NoWrapper()},
    }
    for name, push in forms.items():
        cloud.subscribe(f"{worker.url}/", name_of(name), push)
    cloud.publish(SMOKE_TEST, tenant="a")
    for attempt in cloud.ended(len(forms)):
        entry = worker.wait_for(
            lambda entry, attempt=attempt: (  # type: ignore[misc]
                entry.get("event") == "message.processed"
                and entry["logging.googleapis.com/trace"].endswith(attempt.trace)
            )
        )
        assert (attempt.status, attempt.result, attempt.outcome) == (200, "ack", "done")
        assert entry["logging.googleapis.com/spanId"] == attempt.span
        assert attempt.subscription == name_of(entry["form"])


def test_the_worker_verifies_the_token(cloud: PushCloud, certificates: str, serve: Serve) -> None:
    audience = "https://worker.example"
    worker = serve(
        PUSH_AUTH="oidc",
        PUSH_AUDIENCE=audience,
        PUSH_SERVICE_ACCOUNT=ACCOUNT,
        PUSH_CERTS_URL=certificates,
    )
    other = "other@demo.iam.gserviceaccount.com"
    statuses = {(ACCOUNT, audience): 200, (ACCOUNT, "elsewhere"): 401, (other, audience): 403}
    for number, (account, wanted) in enumerate(statuses):
        token = types.PushConfig.OidcToken(service_account_email=account, audience=wanted)
        cloud.subscribe(f"{worker.url}/", name_of(f"sub-{number}"), {"oidc_token": token})
    cloud.subscribe(f"{worker.url}/", name_of("no-token"))
    cloud.publish(SMOKE_TEST)
    found: dict[str, int] = {}
    while len(found) < len(statuses) + 1:
        (attempt,) = cloud.ended()
        found[attempt.subscription] = attempt.status
    expected = {name_of(f"sub-{number}"): one for number, one in enumerate(statuses.values())}
    assert found == {**expected, name_of("no-token"): 401}


def test_the_worker_runs_a_duplicate_once(cloud: PushCloud, serve: Serve) -> None:
    worker = serve(PUSH_AUTH="none")
    cloud.faults.set(FaultSettings(duplicate=1.0))
    cloud.subscribe(f"{worker.url}/")
    for _ in range(4):
        cloud.publish(SMOKE_TEST)
    attempts = cloud.ended(8)
    assert sum(one.outcome == "done" for one in attempts) == 4
    assert sum(one.fault == "duplicate" for one in attempts) == 4


def test_a_worker_that_was_away_gets_its_messages_then(cloud: PushCloud, serve: Serve) -> None:
    first = serve(PUSH_AUTH="none")
    cloud.subscribe(f"{first.url}/")
    cloud.publish(SMOKE_TEST)
    assert cloud.ended()[0].result == "ack"
    first.stop()
    message_id = cloud.publish(SMOKE_TEST)
    assert cloud.ended()[0].result == "unreachable"
    second = serve(PUSH_AUTH="none")
    cloud.endpoint(f"{second.url}/")
    cloud.wait_until_acked()
    assert second.canonical(message_id)["outcome"] == "done"
