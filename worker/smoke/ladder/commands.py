"""The gcloud commands that mend or show something, for one deployment; a shell reads them back."""

from dataclasses import dataclass

from worker.client.gcloud import logging_read
from worker.client.text import quote
from worker.deployment import Deployment
from worker.smoke.sending import origin_of

_DEPLOY = "gcloud builds submit --config=cloudbuild.yaml"


@dataclass(frozen=True, slots=True)
class Commands:
    """Each method returns one command, on one line."""

    deployment: Deployment

    def create_topic(self) -> str:
        """Make the topic."""
        return self._pubsub("topics create", self.deployment.topic)

    def delete_subscription(self) -> str:
        """Remove the subscription, and what waits in it."""
        return self._pubsub("subscriptions delete", self.deployment.subscription)

    def create_subscription(self, endpoint: str) -> str:
        """Make the subscription as provision does; without an endpoint its messages wait."""
        its = self.deployment
        return self._pubsub(
            "subscriptions create", its.subscription, f"--topic={quote(its.topic)}",
            *(self._push(endpoint) if endpoint else ()),
            f"--ack-deadline={its.ack_deadline_seconds}",
            f"--min-retry-delay={its.min_retry_seconds}s",
            f"--max-retry-delay={its.max_retry_seconds}s",
            f"--message-retention-duration={its.retention_seconds}s",
            f"--dead-letter-topic={quote(its.dead_letter_topic)}",
            f"--max-delivery-attempts={its.max_delivery_attempts}", "--expiration-period=never",
        )  # fmt: skip

    def point_subscription(self, endpoint: str) -> str:
        """Have it push there, with a token: all of it, since what is left out is dropped."""
        return self._pubsub(
            "subscriptions update", self.deployment.subscription, *self._push(endpoint)
        )

    def show_subscription(self) -> str:
        """Print it."""
        return self._pubsub("subscriptions describe", self.deployment.subscription)

    def set_ack_deadline(self, seconds: int) -> str:
        """Give handlers more time."""
        return self._pubsub(
            "subscriptions update", self.deployment.subscription, f"--ack-deadline={seconds}"
        )

    def peek(self, subscription: str) -> str:
        """Print what lies in a subscription; it stays there."""
        return self._pubsub("subscriptions pull", subscription, "--limit=10", "--format=json")

    def allow_quarantine(self) -> str:
        """Let the worker publish what it rejects."""
        its = self.deployment
        account = f"--member=serviceAccount:{its.email(its.runtime_account)}"
        return self._pubsub(
            "topics add-iam-policy-binding", its.quarantine_topic, quote(account),
            "--role=roles/pubsub.publisher",
        )  # fmt: skip

    def deploy(self) -> str:
        """Build and deploy, from the checkout."""
        return f"{_DEPLOY} --project={quote(self.deployment.project)}"

    def show_service(self) -> str:
        """Print it: its URL, its settings, what is wrong with it."""
        return self._run("services describe", self.deployment.service)

    def show_revision(self, name: str) -> str:
        """Print a revision: why it is not ready."""
        return self._run("revisions describe", name)

    def list_revisions(self) -> str:
        """Print the revisions."""
        return self._run("revisions list", "", f"--service={quote(self.deployment.service)}")

    def send_traffic(self, revision: str) -> str:
        """Have that revision take everything."""
        to = f"--to-revisions={quote(revision)}=100"
        return self._run("services update-traffic", self.deployment.service, to)

    def set_variables(self, **variables: str) -> str:
        """Change settings of the worker."""
        pairs = ",".join(f"{name}={value}" for name, value in variables.items())
        flag = f"--update-env-vars={quote(pairs)}"
        return self._run("services update", self.deployment.service, flag)

    def set_instances(self, most: int) -> str:
        """Let it have more instances."""
        return self._run("services update", self.deployment.service, f"--max-instances={most}")

    def allow_push(self, account: str) -> str:
        """Let an account call the service."""
        return self._run(
            "services add-iam-policy-binding", self.deployment.service,
            quote(f"--member=serviceAccount:{account}"), "--role=roles/run.invoker",
        )  # fmt: skip

    def read_log(self, query: str) -> str:
        """Print log entries."""
        return logging_read(query, self.deployment.project)

    def errors(self) -> str:
        """Print what the service logged as an error."""
        return self.read_log(
            f'resource.labels.service_name="{self.deployment.service}"\nseverity>=ERROR'
        )

    def list_sinks(self) -> str:
        """Print where entries go, and what is left out."""
        return f"gcloud logging sinks list --project={quote(self.deployment.project)}"

    def enable_sink(self, sink: str) -> str:
        """Route entries again."""
        return self._sink(sink, "--no-disabled")

    def remove_exclusion(self, sink: str, exclusion: str) -> str:
        """Keep what it left out."""
        return self._sink(sink, f"--remove-exclusions={quote(exclusion)}")

    def _push(self, endpoint: str) -> tuple[str, ...]:
        account = self.deployment.email(self.deployment.push_account)
        return (
            f"--push-endpoint={quote(f'{origin_of(endpoint)}/')}",
            f"--push-auth-service-account={quote(account)}",
            f"--push-auth-token-audience={quote(origin_of(endpoint))}",
        )

    def _pubsub(self, what: str, name: str, *flags: str) -> str:
        project = f"--project={quote(self.deployment.project)}"
        return " ".join(["gcloud pubsub", what, quote(name), project, *flags])

    def _run(self, what: str, name: str, *flags: str) -> str:
        where = [
            f"--region={self.deployment.region}",
            f"--project={quote(self.deployment.project)}",
        ]
        return " ".join(["gcloud run", what, *([quote(name)] if name else []), *where, *flags])

    def _sink(self, sink: str, flag: str) -> str:
        project = f"--project={quote(self.deployment.project)}"
        return f"gcloud logging sinks update {quote(sink)} {project} {flag}"
