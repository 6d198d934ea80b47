"""Questions to a project, each one call: its messages, its service, its policies, its metrics."""

from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from worker.project.apis import IAM, LOGGING, MONITORING, PROJECTS, PUBSUB, RUN, STORAGE
from worker.project.google import Google, Json
from worker.project.policy import Policy

# Below this version conditions are left out, and their roles have other names.
_WHOLE_POLICY = "options.requestedPolicyVersion=3"


class Project:
    """The project `id`. Every method raises CallFailed; what is not there is None."""

    def __init__(self, id: str, google: Google | None = None) -> None:  # noqa: A002 - Google's word
        self.id = id
        self.google = google or Google()

    def number(self) -> str:
        """The number that its service agents are named after."""
        return str(self.google.call(PROJECTS, "GET", f"v1/projects/{self.id}")["projectNumber"])

    def topic(self, name: str) -> Json | None:
        """`projects/P/topics/T`. Source: Topic."""
        return self.google.get(PUBSUB, f"v1/{name}")

    def subscription(self, name: str) -> Json | None:
        """`projects/P/subscriptions/S`. Source: Subscription."""
        return self.google.get(PUBSUB, f"v1/{name}")

    def pubsub_policy(self, name: str) -> Policy:
        """Who may do what to a topic or a subscription."""
        return Policy(self.google.call(PUBSUB, "GET", f"v1/{name}:getIamPolicy?{_WHOLE_POLICY}"))

    def service(self, name: str) -> Json | None:
        """`projects/P/locations/R/services/S`. Source: google.cloud.run.v2.Service."""
        return self.google.get(RUN, f"v2/{name}")

    def revision(self, name: str) -> Json | None:
        """`projects/P/locations/R/services/S/revisions/R`. Source: google.cloud.run.v2.Revision."""
        return self.google.get(RUN, f"v2/{name}")

    def service_policy(self, name: str) -> Policy:
        """Who may do what to a service."""
        return Policy(self.google.call(RUN, "GET", f"v2/{name}:getIamPolicy?{_WHOLE_POLICY}"))

    def account_policy(self, name: str) -> Policy:
        """Who may do what to a service account, `projects/P/serviceAccounts/EMAIL`."""
        path = f"v1/{name}:getIamPolicy?{_WHOLE_POLICY}"
        return Policy(self.google.call(IAM, "POST", path, {}))

    def bucket(self, name: str) -> Json | None:
        """A bucket. Source: Cloud Storage JSON API, Buckets."""
        return self.google.get(STORAGE, f"storage/v1/b/{name}")

    def bucket_policy(self, name: str) -> Policy:
        """Who may do what to a bucket."""
        path = f"storage/v1/b/{name}/iam?optionsRequestedPolicyVersion=3"
        return Policy(self.google.call(STORAGE, "GET", path))

    def policy(self) -> Policy:
        """Who may do what in the whole project."""
        path = f"v1/projects/{self.id}:getIamPolicy"
        options = {"options": {"requestedPolicyVersion": 3}}
        return Policy(self.google.call(PROJECTS, "POST", path, options))

    def series(self, metric: str, minutes: int, **labels: str) -> list[Json]:
        """The time series of a metric, newest points first. Source: projects.timeSeries.list.

        `labels` are those of the monitored resource, as in subscription_id="S".
        """
        now = datetime.now(UTC)
        conditions = [f'metric.type="{metric}"']
        conditions += [f'resource.labels.{name}="{value}"' for name, value in labels.items()]
        query = {
            "filter": " AND ".join(conditions),
            "interval.startTime": f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}",
            "interval.endTime": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        }
        path = f"v3/projects/{self.id}/timeSeries?{urlencode(query, quote_via=quote)}"
        return self.google.pages(MONITORING, path, "timeSeries")

    def sinks(self) -> list[Json]:
        """Where its log entries are routed to. Source: LogSink."""
        return self.google.pages(LOGGING, f"v2/projects/{self.id}/sinks", "sinks")
