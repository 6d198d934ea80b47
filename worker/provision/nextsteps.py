"""What comes after provision: the commands, with what deploy.toml says otherwise than usual."""

from worker.client.gcloud import attribute_flag
from worker.client.text import quote
from worker.config import hide
from worker.deployment import Deployment

# The settings that cloudbuild.yaml has a substitution for, with the same default.
SUBSTITUTED = (
    "region",
    "service",
    "topic",
    "subscription",
    "dead_letter_topic",
    "quarantine_topic",
    "runtime_account",
    "push_account",
    "build_account",
    "repository",
    "claims",
    "artifacts",
    "unknown_feature",
    "ack_deadline_seconds",
    "handler_threads",
    "memory_mib",
    "max_instances",
    "timeout_seconds",
)


def substitution(setting: str) -> str:
    """What cloudbuild.yaml calls it."""
    return f"_{setting.upper()}"


def build_command(deployment: Deployment) -> str:
    """`gcloud builds submit` for this deployment; a password in an address is left out."""
    command = f"gcloud builds submit --project={quote(deployment.project)} --config=cloudbuild.yaml"
    others = {
        substitution(setting): hide(str(getattr(deployment, setting)))
        for setting in SUBSTITUTED
        if getattr(deployment, setting) != Deployment.model_fields[setting].default
    }
    if others:
        command += f" --substitutions={quote(attribute_flag(others))}"
    return command


def next_steps(deployment: Deployment, options: str, *, waits: bool) -> list[str]:
    """The commands to run now. `options` are those of this run; `waits`: there is no service."""
    smoke = f"python -m worker smoke{options}"
    doctor = f"python -m worker doctor{options}"
    if not waits:
        return [smoke, doctor]
    return [build_command(deployment), f"python -m worker provision{options}", smoke, doctor]
