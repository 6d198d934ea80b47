"""The APIs of Google Cloud, each movable by the variable that moves gcloud's calls to it."""

from worker.pubsub import PUBSUB
from worker.rest import Service


def _service(name: str, host: str, variable: str) -> Service:
    override = f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{variable}"
    return Service(name, f"https://{host}.googleapis.com", override=override)


ARTIFACT_REGISTRY = _service("Artifact Registry", "artifactregistry", "ARTIFACTREGISTRY")
CREDENTIALS = _service("IAM Credentials", "iamcredentials", "IAMCREDENTIALS")
FIRESTORE = _service("Firestore", "firestore", "FIRESTORE")
IAM = _service("IAM", "iam", "IAM")
LOGGING = _service("Cloud Logging", "logging", "LOGGING")
MONITORING = _service("Cloud Monitoring", "monitoring", "MONITORING")
PROJECTS = _service("Resource Manager", "cloudresourcemanager", "CLOUDRESOURCEMANAGER")
RUN = _service("Cloud Run", "run", "RUN")
SERVICE_USAGE = _service("Service Usage", "serviceusage", "SERVICEUSAGE")
STORAGE = _service("Cloud Storage", "storage", "STORAGE")

__all__ = [
    "ARTIFACT_REGISTRY",
    "CREDENTIALS",
    "FIRESTORE",
    "IAM",
    "LOGGING",
    "MONITORING",
    "PROJECTS",
    "PUBSUB",
    "RUN",
    "SERVICE_USAGE",
    "STORAGE",
]
