"""The commands that mend what is found, quoted for a shell."""

import shlex

from worker.deployment import Deployment
from worker.doctor.live.names import account_name, short

PROVISION = "python -m worker provision"
SMOKE = "python -m worker smoke"
BUILD = "gcloud builds submit --config=cloudbuild.yaml"


def gcloud(*words: str) -> str:
    """`gcloud` and these words."""
    return shlex.join(("gcloud", *words))


def change_service(deployment: Deployment, *flags: str) -> str:
    """Deploy the service again with other settings."""
    place = (f"--project={deployment.project}", f"--region={deployment.region}")
    return gcloud("run", "services", "update", deployment.service, *place, *flags)


def beta_change_service(deployment: Deployment, *flags: str) -> str:
    """The same for a flag that gcloud knows in its beta only."""
    return change_service(deployment, *flags).replace("gcloud ", "gcloud beta ", 1)


def set_variable(deployment: Deployment, variable: str, value: object) -> str:
    """Deploy the service again with this variable changed."""
    # ^:^ and the like: a comma in the value would end it. Source: gcloud topic escaping.
    pair = f"{variable}={value}"
    escaped = pair if "," not in pair else f"^;^{pair}"
    return change_service(deployment, f"--update-env-vars={escaped}")


def change_subscription(name: str, *flags: str) -> str:
    """Change the subscription `projects/P/subscriptions/S`."""
    project = name.split("/")[1]
    return gcloud("pubsub", "subscriptions", "update", short(name), f"--project={project}", *flags)


def push_to(name: str, url: str, email: str) -> str:
    """Set the push configuration, whole: a partial update drops the token."""
    return change_subscription(
        name,
        f"--push-endpoint={url}/",
        f"--push-auth-service-account={email}",
        f"--push-auth-token-audience={url}",
    )


def grant(kind: str, name: str, email: str, role: str) -> str:
    """Give the role to an account; `kind` is "topics" or "subscriptions", `name` the whole one."""
    project = name.split("/")[1]
    return gcloud(
        "pubsub", kind, "add-iam-policy-binding", short(name), f"--project={project}",
        f"--member=serviceAccount:{email}", f"--role={role}",
    )  # fmt: skip


def grant_on_project(project: str, member: str, role: str) -> str:
    """Give the role in the whole project."""
    words = ("projects", "add-iam-policy-binding", project)
    return gcloud(*words, f"--member={member}", f"--role={role}", "--condition=None")


def grant_on_bucket(bucket: str, email: str, role: str) -> str:
    """Give the role on `gs://BUCKET`, for which no project has to be named."""
    words = ("storage", "buckets", "add-iam-policy-binding", bucket)
    return gcloud(*words, f"--member=serviceAccount:{email}", f"--role={role}")


def grant_on_account(account: str, email: str, role: str) -> str:
    """Give the role on the service account `account` to the account `email`."""
    project = account_name(account).split("/")[1]
    place = () if project == "-" else (f"--project={project}",)
    return gcloud(
        "iam", "service-accounts", "add-iam-policy-binding", account, *place,
        f"--member=serviceAccount:{email}", f"--role={role}",
    )  # fmt: skip


def invoke(deployment: Deployment, verb: str, member: str) -> str:
    """Let a member call the service (`verb` is "add"), or no more ("remove")."""
    return gcloud(
        "run", "services", f"{verb}-iam-policy-binding", deployment.service,
        f"--project={deployment.project}", f"--region={deployment.region}",
        f"--member={member}", "--role=roles/run.invoker",
    )  # fmt: skip


def enable(project: str, api: str) -> str:
    """Enable an API."""
    return gcloud("services", "enable", api, f"--project={project}")


def read_log(deployment: Deployment, query: str) -> str:
    """Show the newest entries that match, of the last day."""
    place = f"--project={deployment.project}"
    return gcloud("logging", "read", query, place, "--freshness=1d", "--limit=20")


def list_held(subscription: str) -> str:
    """Show what is held in a subscription, with the quarantine desk."""
    return shlex.join(("python", "-m", "worker", "quarantine", "list", "--from", subscription))
