"""Who may do what: no account has a role on more than it needs."""

from collections.abc import Iterator

from worker.deployment import Deployment
from worker.provision.kinds.bucket import bucket_target
from worker.provision.kinds.enabling import TOKEN_CREATOR
from worker.provision.kinds.grant import Grant, Member
from worker.provision.kinds.targets import (
    account_target,
    project_target,
    repository_target,
    service_target,
    subscription_target,
    topic_target,
)

# Of the build account on the whole project: it deploys, and then proves what it deployed.
BUILD_ROLES = (
    "run.developer",  # deploys revisions, shifts traffic; cannot say who may call the service
    "logging.logWriter",  # the build's own log
    "logging.viewer",  # smoke looks for its entry
    "monitoring.viewer",  # and says why it is not there
    "pubsub.viewer",  # the same
    "storage.objectViewer",  # the source that was submitted
)


def roles_of(deployment: Deployment) -> Iterator[Grant]:
    """The grants."""
    agent = Member("Pub/Sub", "AGENT")
    runtime = Member("the worker", "RUNTIME", deployment.email(deployment.runtime_account))
    pusher = Member("the pushes", "PUSHER", deployment.email(deployment.push_account))
    builder = Member("the builds", "BUILDER", deployment.email(deployment.build_account))
    as_runtime = account_target(deployment, deployment.runtime_account, "RUNTIME")
    as_pusher = account_target(deployment, deployment.push_account, "PUSHER")
    project = project_target(deployment)

    # Pub/Sub makes the tokens of the pushes, and forwards dead letters.
    yield Grant(TOKEN_CREATOR.removeprefix("roles/"), agent, as_pusher)
    yield Grant("pubsub.publisher", agent, topic_target(deployment, deployment.dead_letter_topic))
    subscription = subscription_target(deployment, deployment.subscription)
    yield Grant("pubsub.subscriber", agent, subscription)
    # The worker quarantines, claims, and keeps artifacts.
    quarantine = topic_target(deployment, deployment.quarantine_topic)
    yield Grant("pubsub.publisher", runtime, quarantine)
    if deployment.database:
        yield Grant("datastore.user", runtime, project)
    if deployment.bucket:
        # To read files and to make them. It takes leave to delete, too: to write one that is there,
        # as after a lost answer, may be refused without that as forbidden, not as there.
        yield Grant("storage.objectUser", runtime, bucket_target(deployment))
    # Builds push images, deploy, and run smoke, which publishes, pushes and looks at dead letters.
    yield Grant("artifactregistry.writer", builder, repository_target(deployment))
    yield Grant("iam.serviceAccountUser", builder, as_runtime)
    yield Grant("iam.serviceAccountOpenIdTokenCreator", builder, as_pusher)
    yield Grant("pubsub.publisher", builder, topic_target(deployment, deployment.topic))
    dead = subscription_target(deployment, deployment.dead_letter_topic)
    yield Grant("pubsub.subscriber", builder, dead)
    for role in BUILD_ROLES:
        yield Grant(role, builder, project)
    # The pushes may call the service, and nobody else.
    yield Grant("run.invoker", pusher, service_target(deployment))
