"""What is asked of a project, and what the asker has to be allowed for the answer."""

from dataclasses import dataclass

_REVIEWER = "roles/iam.securityReviewer"  # reads policies
_VIEWER = "roles/viewer"  # reads all else


@dataclass(frozen=True, slots=True)
class Question:
    """One read of the project."""

    about: str  # in words, as in "the service's IAM policy"
    permission: str  # that the read takes
    api: str  # the name under which it is enabled

    @property
    def role(self) -> str:
        """The role that has the permission."""
        return _REVIEWER if self.permission.endswith(".getIamPolicy") else _VIEWER


_FIRESTORE = "firestore.googleapis.com"
_IAM = "iam.googleapis.com"
_MONITORING = "monitoring.googleapis.com"
_PROJECTS = "cloudresourcemanager.googleapis.com"
_PUBSUB = "pubsub.googleapis.com"
_RUN = "run.googleapis.com"
_STORAGE = "storage.googleapis.com"
_USAGE = "serviceusage.googleapis.com"

# By the field of Live that holds the answer.
QUESTIONS = {
    "number": Question("the project's number", "resourcemanager.projects.get", _PROJECTS),
    "policy": Question(
        "the project's IAM policy", "resourcemanager.projects.getIamPolicy", _PROJECTS
    ),
    "enabled": Question("the enabled APIs", "serviceusage.services.list", _USAGE),
    "topic": Question("the topic", "pubsub.topics.get", _PUBSUB),
    "subscription": Question("the push subscription", "pubsub.subscriptions.get", _PUBSUB),
    "subscription_policy": Question(
        "the push subscription's IAM policy", "pubsub.subscriptions.getIamPolicy", _PUBSUB
    ),
    "subscriptions": Question("the subscriptions", "pubsub.subscriptions.list", _PUBSUB),
    "service": Question("the Cloud Run service", "run.services.get", _RUN),
    "service_policy": Question("the service's IAM policy", "run.services.getIamPolicy", _RUN),
    "serving": Question("the revision that serves", "run.revisions.get", _RUN),
    "alerts": Question("the alert policies", "monitoring.alertPolicies.list", _MONITORING),
    "push_account": Question("the push account", "iam.serviceAccounts.get", _IAM),
    "push_account_policy": Question(
        "the push account's IAM policy", "iam.serviceAccounts.getIamPolicy", _IAM
    ),
    "dead_letter_topic": Question("the dead-letter topic", "pubsub.topics.get", _PUBSUB),
    "dead_letter_policy": Question(
        "the dead-letter topic's IAM policy", "pubsub.topics.getIamPolicy", _PUBSUB
    ),
    "quarantine_topic": Question("the quarantine topic", "pubsub.topics.get", _PUBSUB),
    "quarantine_policy": Question(
        "the quarantine topic's IAM policy", "pubsub.topics.getIamPolicy", _PUBSUB
    ),
    "database": Question(
        "the database of the claims", "datastore.databases.getMetadata", _FIRESTORE
    ),
    "ttl": Question("the TTL policy of the claims", "datastore.indexes.get", _FIRESTORE),
    "bucket": Question("the bucket of the artifacts", "storage.buckets.get", _STORAGE),
    "bucket_policy": Question(
        "the IAM policy of the artifacts' bucket", "storage.buckets.getIamPolicy", _STORAGE
    ),
    "held": Question("how many messages wait", "monitoring.timeSeries.list", _MONITORING),
    "oldest_seconds": Question(
        "how old the oldest message is", "monitoring.timeSeries.list", _MONITORING
    ),
    "pushes": Question("how pushes were answered", "monitoring.timeSeries.list", _MONITORING),
}  # fmt: skip
