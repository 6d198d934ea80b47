"""A deployment with which nothing is wrong, as its project shows it; tests plant what is."""

import copy
from typing import Any

from worker.deployment import Deployment
from worker.doctor.live.snapshot import Live
from worker.project.policy import Policy

Answers = dict[str, Any]

BUCKET = {
    "name": "demo-artifacts",
    "iamConfiguration": {
        "uniformBucketLevelAccess": {"enabled": True},
        "publicAccessPrevention": "enforced",
    },
}
DEPLOYMENT = Deployment(
    project="demo-project",
    alert_emails=("somebody@example.com",),
    artifacts="gs://demo-artifacts/features",
)
NUMBER = "123456789"
URI = "https://feature-worker-abc-ew.a.run.app"
RUNTIME = "feature-worker@demo-project.iam.gserviceaccount.com"
PUSHER = "feature-worker-push@demo-project.iam.gserviceaccount.com"
AGENT = f"service-{NUMBER}@gcp-sa-pubsub.iam.gserviceaccount.com"
SERVICE = DEPLOYMENT.service_name
SUBSCRIPTION = "projects/demo-project/subscriptions/feature-worker"
TOPIC = "projects/demo-project/topics/features"
DEAD = "projects/demo-project/topics/feature-worker-dead"
DEAD_SUBSCRIPTION = "projects/demo-project/subscriptions/feature-worker-dead"
QUARANTINE = "projects/demo-project/topics/feature-worker-quarantine"
QUARANTINE_SUBSCRIPTION = "projects/demo-project/subscriptions/feature-worker-quarantine"
DATABASE = "projects/demo-project/databases/(default)"
ENVIRONMENT = {
    "PUSH_AUTH": "cloud-run-iam",
    "GOOGLE_CLOUD_PROJECT": "demo-project",
    "QUARANTINE": f"topic:{QUARANTINE}",
    "ACK_DEADLINE_SECONDS": "10",
    "CLAIMS": "firestore",
    "ARTIFACTS": "gs://demo-artifacts/features",
}
APIS = ("run", "pubsub", "iam", "logging", "monitoring", "firestore", "cloudbuild", "storage")


def policy(**members: str) -> Policy:
    """`run_invoker="a@b"` gives the service account roles/run.invoker."""
    return Policy({"etag": "BwY=", "bindings": [
        {"role": f"roles/{role.replace('_', '.', 1)}", "members": [f"serviceAccount:{one}"]}
        for role, one in members.items()
    ]})  # fmt: skip


def subscription() -> Answers:
    """The push subscription. Source: Subscription."""
    return {
        "name": SUBSCRIPTION,
        "topic": TOPIC,
        "pushConfig": {
            "pushEndpoint": f"{URI}/",
            "oidcToken": {"serviceAccountEmail": PUSHER, "audience": URI},
        },
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "604800s",
        "expirationPolicy": {},
        "retryPolicy": {"minimumBackoff": "10s", "maximumBackoff": "600s"},
        "deadLetterPolicy": {"deadLetterTopic": DEAD, "maxDeliveryAttempts": 20},
        "state": "ACTIVE",
    }


def keeping(name: str, topic: str) -> Answers:
    """A subscription that keeps what failed."""
    return {
        "name": name,
        "topic": topic,
        "pushConfig": {},
        "ackDeadlineSeconds": 10,
        "messageRetentionDuration": "2678400s",
        "expirationPolicy": {},
    }


def template() -> Answers:
    """What serves. Source: google.cloud.run.v2.RevisionTemplate."""
    limits = {"cpu": "1000m", "memory": "512Mi"}
    return {
        "scaling": {"maxInstanceCount": 10},
        "timeout": "610s",
        "serviceAccount": RUNTIME,
        "containers": [
            {
                "ports": [{"name": "http1", "containerPort": 8080}],
                "env": [{"name": name, "value": value} for name, value in ENVIRONMENT.items()],
                "resources": {"limits": limits, "cpuIdle": True},
            }
        ],
        "maxInstanceRequestConcurrency": 8,
    }


def service() -> Answers:
    """Source: google.cloud.run.v2.Service."""
    latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
    newest = f"{SERVICE}/revisions/feature-worker-00002-abc"
    return {
        "name": SERVICE,
        "uri": URI,
        "urls": [URI, "https://feature-worker-123456789.europe-west1.run.app"],
        "ingress": "INGRESS_TRAFFIC_ALL",
        "template": template(),
        "traffic": [latest],
        "trafficStatuses": [latest],
        "latestReadyRevision": newest,
        "latestCreatedRevision": newest,
        "terminalCondition": {"type": "Ready", "state": "CONDITION_SUCCEEDED"},
    }


def answers() -> Answers:
    """Every answer of a healthy project, each a copy of its own."""
    push = subscription()
    return copy.deepcopy({
        "number": NUMBER,
        "policy": policy(datastore_user=RUNTIME),
        "enabled": frozenset(f"{api}.googleapis.com" for api in APIS),
        "topic": {"name": TOPIC},
        "subscription": push,
        "subscription_policy": policy(pubsub_subscriber=AGENT),
        "subscriptions": [
            push,
            keeping(DEAD_SUBSCRIPTION, DEAD),
            keeping(QUARANTINE_SUBSCRIPTION, QUARANTINE),
        ],
        "service": service(),
        "service_policy": policy(run_invoker=PUSHER),
        "serving": template(),
        "alerts": [
            {
                "name": "projects/demo-project/alertPolicies/1",
                "userLabels": {"managed-by": "feature-worker", "alert": "crashes"},
                "notificationChannels": ["projects/demo-project/notificationChannels/1"],
                "enabled": True,
            }
        ],
        "push_account": {"email": PUSHER},
        "push_account_policy": policy(iam_serviceAccountTokenCreator=AGENT),
        "dead_letter_topic": {"name": DEAD},
        "dead_letter_policy": policy(pubsub_publisher=AGENT),
        "quarantine_topic": {"name": QUARANTINE},
        "quarantine_policy": policy(pubsub_publisher=RUNTIME),
        "database": {"name": DATABASE, "type": "FIRESTORE_NATIVE"},
        "ttl": {"ttlConfig": {"state": "ACTIVE"}},
        "bucket": BUCKET,
        "bucket_policy": policy(storage_objectUser=RUNTIME),
        "held": {DEAD_SUBSCRIPTION: 0, QUARANTINE_SUBSCRIPTION: 0},
        "oldest_seconds": 3.0,
        "pushes": {"ack": 120, "remote_server_5xx": 2},
    })  # fmt: skip


def live(**changed: Any) -> Live:
    """The healthy project, with these answers instead."""
    return Live(**(answers() | changed))


def variables(found: Answers) -> dict[str, str]:
    """The environment of the revision that serves."""
    return {one["name"]: one.get("value", "") for one in found["serving"]["containers"][0]["env"]}


def put(found: Answers, **environment: str | None) -> None:
    """Set variables of the revision that serves; None unsets one."""
    now = variables(found) | environment
    found["serving"]["containers"][0]["env"] = [
        {"name": name, "value": value} for name, value in now.items() if value is not None
    ]
