"""The APIs that a deployment needs, by the names that Service Usage has for them."""

from worker.deployment import Deployment

ARTIFACT_REGISTRY_API = "artifactregistry.googleapis.com"
FIRESTORE_API = "firestore.googleapis.com"
IAM_API = "iam.googleapis.com"
LOGGING_API = "logging.googleapis.com"
MONITORING_API = "monitoring.googleapis.com"
PROJECTS_API = "cloudresourcemanager.googleapis.com"
PUBSUB_API = "pubsub.googleapis.com"
RUN_API = "run.googleapis.com"
STORAGE_API = "storage.googleapis.com"


def apis_of(deployment: Deployment) -> tuple[str, ...]:
    """All of them, at most the 20 that can be enabled at once."""
    always = (
        RUN_API,
        PUBSUB_API,
        "cloudbuild.googleapis.com",
        "containeranalysis.googleapis.com",  # the provenance of images
        ARTIFACT_REGISTRY_API,
        LOGGING_API,
        MONITORING_API,
        IAM_API,
        "iamcredentials.googleapis.com",
        PROJECTS_API,
    )
    claims = (FIRESTORE_API,) if deployment.database else ()
    artifacts = (STORAGE_API,) if deployment.bucket else ()
    return (*always, *claims, *artifacts)
