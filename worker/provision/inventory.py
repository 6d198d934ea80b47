"""All that a deployment needs in its project, in the order in which it is made."""

from worker.deployment import Deployment
from worker.provision.apis import apis_of
from worker.provision.kinds.account import Account
from worker.provision.kinds.alert import AlertPolicy
from worker.provision.kinds.bucket import Bucket
from worker.provision.kinds.channel import Channel
from worker.provision.kinds.dashboard import Dashboard
from worker.provision.kinds.enabling import Agent, Apis
from worker.provision.kinds.endpoint import PushEndpoint
from worker.provision.kinds.firestore import Database, Expiry
from worker.provision.kinds.metric import Metric
from worker.provision.kinds.repository import Repository
from worker.provision.kinds.subscription import Subscription, held_settings, push_settings
from worker.provision.kinds.targets import account_target
from worker.provision.kinds.topic import Topic
from worker.provision.monitoring import alert_policies, dashboard, log_metrics
from worker.provision.roles import roles_of
from worker.provision.step import Resource

Section = tuple[str, list[Resource]]


def sections_of(deployment: Deployment) -> list[Section]:
    """The resources, under headings."""
    return [
        ("What Google runs", _google(deployment)),
        ("Accounts: the worker's, that of the pushes, that of the builds", _accounts(deployment)),
        ("Images", [Repository(deployment)]),
        ("Topics and subscriptions", _messages(deployment)),
        *([("Claims", _claims(deployment))] if deployment.database else []),
        *([("Artifacts", _artifacts(deployment))] if deployment.bucket else []),
        ("Who may do what", [*roles_of(deployment)]),
        ("Where messages are pushed to", [PushEndpoint(deployment)]),
        ("What watches it", _watching(deployment)),
    ]


def resources_of(deployment: Deployment) -> list[Resource]:
    """The resources alone."""
    return [resource for _, section in sections_of(deployment) for resource in section]


def _google(deployment: Deployment) -> list[Resource]:
    return [Apis(deployment.project, apis_of(deployment))]


def _accounts(deployment: Deployment) -> list[Resource]:
    pusher = account_target(deployment, deployment.push_account, "PUSHER")
    return [
        Account(deployment, deployment.runtime_account, "Runs the feature worker", "RUNTIME"),
        Account(
            deployment, deployment.push_account, "Signs pushes to the feature worker", "PUSHER"
        ),
        Account(deployment, deployment.build_account, "Builds the feature worker", "BUILDER"),
        Agent(deployment.project, named_in=pusher),
    ]


def _messages(deployment: Deployment) -> list[Resource]:
    return [
        Topic(deployment, deployment.topic, "messages to handle", (deployment.subscription,)),
        *_held(deployment, deployment.dead_letter_topic, "what Pub/Sub gave up"),
        *_held(deployment, deployment.quarantine_topic, "what the worker rejected"),
        Subscription(
            deployment, deployment.subscription, deployment.topic, *push_settings(deployment)
        ),
    ]


def _held(deployment: Deployment, name: str, about: str) -> list[Resource]:
    """A topic, and a subscription of the same name: what nobody subscribes to is lost."""
    return [
        Topic(deployment, name, about, (name,)),
        Subscription(deployment, name, name, *held_settings(deployment)),
    ]


def _claims(deployment: Deployment) -> list[Resource]:
    return [Database(deployment), Expiry(deployment)]


def _artifacts(deployment: Deployment) -> list[Resource]:
    return [Bucket(deployment)]


def _watching(deployment: Deployment) -> list[Resource]:
    emails = enumerate(deployment.alert_emails, 1)
    return [
        *(Metric(deployment, body) for body in log_metrics(deployment)),
        Dashboard(deployment, dashboard(deployment)),
        *(Channel(deployment, email, number) for number, email in emails),
        *(AlertPolicy(deployment, body) for body in alert_policies(deployment)),
    ]
