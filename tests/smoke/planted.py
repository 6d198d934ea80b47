"""Evidence as it is when all is well but the entry, for a test to plant what is not."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from worker.client.deliver import Answer
from worker.deployment import Deployment
from worker.project.policy import Policy
from worker.smoke.evidence import Backlog, Evidence, Reached
from worker.smoke.processed import Processed
from worker.smoke.question import Question, Sent

BEGAN = datetime(2026, 11, 21, 19, 0, tzinfo=UTC)
NONCE = "smoke-1"
URL = "https://feature-worker-abc-ew.a.run.app"
TAGGED = "https://candidate---feature-worker-abc-ew.a.run.app"
DEPLOYMENT = Deployment(project="demo-project")
ACCOUNT = "feature-worker-push@demo-project.iam.gserviceaccount.com"
REVISION = "feature-worker-00002-abc"
SERVICE_NAME = "projects/demo-project/locations/europe-west1/services/feature-worker"
READY = {"type": "Ready", "state": "CONDITION_SUCCEEDED"}
FAILED = {"type": "Ready", "state": "CONDITION_FAILED", "message": "the container does not start"}
TOKEN = {"serviceAccountEmail": ACCOUNT, "audience": URL}
SUBSCRIPTION = {
    "name": "projects/demo-project/subscriptions/feature-worker",
    "topic": "projects/demo-project/topics/features",
    "pushConfig": {"pushEndpoint": f"{URL}/", "oidcToken": TOKEN},
}
SERVICE = {
    "name": SERVICE_NAME,
    "uri": URL,
    "urls": [URL, "https://feature-worker-123456789.europe-west1.run.app"],
    "latestCreatedRevision": f"{SERVICE_NAME}/revisions/{REVISION}",
    "latestReadyRevision": f"{SERVICE_NAME}/revisions/{REVISION}",
}
BY_TOPIC = Question(DEPLOYMENT)
BY_URL = Question(DEPLOYMENT, url=TAGGED)
SENT = Sent(NONCE, "4711", BEGAN, BEGAN + timedelta(seconds=0.1))


def policy(role: str, *members: str) -> Policy:
    return Policy({"bindings": [{"role": role, "members": list(members)}]})


def evidence(**changes: Any) -> Evidence:
    """Everything is as provision makes it, and nothing has come."""
    whole: dict[str, Any] = {
        "question": BY_TOPIC,
        "sent": SENT,
        "requests": (),
        "subscription": SUBSCRIPTION,
        "service": SERVICE,
        "revision": {"name": SERVICE["latestReadyRevision"], "conditions": [READY]},
        "service_policy": policy("roles/run.invoker", f"serviceAccount:{ACCOUNT}"),
        "project_policy": Policy({}),
        "reached": Reached(403),
        "responses": {},
        "backlog": Backlog(1, BEGAN, BEGAN + timedelta(seconds=30)),
        "dead": None,
        "sinks": ({"name": "_Required"}, {"name": "_Default"}),
    }
    return Evidence(**{**whole, **changes})


def by_url(**changes: Any) -> Evidence:
    """The same, pushed to a tagged URL; without an answer unless one is given."""
    sent = {name: changes.pop(name) for name in ("answer", "unreachable") if name in changes}
    pushed = Sent(NONCE, "smoke-1", BEGAN, BEGAN, **sent)
    return evidence(question=BY_URL, sent=pushed, **changes)


def answer(status: int, outcome: str = "", reason: str = "") -> Answer:
    return Answer(status, outcome, reason, "4711")


def entry(payload: Mapping[str, Any], **others: Any) -> dict[str, Any]:
    """A canonical entry in the JSON form of Cloud Logging."""
    labels = {"service_name": "feature-worker", "revision_name": REVISION}
    usual = {"event": "message.processed", "message_id": "4711", "seconds": 0.25}
    return {
        "logName": "projects/demo-project/logs/run.googleapis.com%2Fstdout",
        "timestamp": "2026-11-21T19:00:02.5Z",
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "jsonPayload": {**usual, **payload},
        **others,
    }


def ended(outcome: str, status: int = 200, reason: str = "", **payload: Any) -> Processed:
    """A delivery that ended like this."""
    fields = {"outcome": outcome, "status": status, "reason": reason, **payload}
    found = Processed.of(entry(fields))
    assert found is not None
    return found


def of_service(name: str) -> Processed:
    labels = {"service_name": name}
    found = Processed.of(entry({"outcome": "done"}, resource={"labels": labels}))
    assert found is not None
    return found
