"""deploy.toml: what is deployed, and where; read once, frozen, every problem in one message."""

from worker.deployment.model import Deployment, bucket_of, pubsub_agent
from worker.deployment.reading import FILE, DeploymentInvalid, read_deployment

__all__ = [
    "FILE",
    "Deployment",
    "DeploymentInvalid",
    "bucket_of",
    "pubsub_agent",
    "read_deployment",
]
