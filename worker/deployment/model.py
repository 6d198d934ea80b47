"""The settings of deploy.toml, with their limits, and the full names that follow from them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from worker.config import setting, want_of

# Wider than Google's rules on purpose: the laptop cloud and the emulator take the project "demo".
_PROJECT = r"^[a-z][a-z0-9.:-]{0,61}[a-z0-9]\Z"
_RESOURCE = r"^(?!goog)[A-Za-z][A-Za-z0-9._~%+-]{2,254}\Z"
_ACCOUNT = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]\Z"
# Of these an address can be written into a filter, and into a command, as it is.
_EMAIL = r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+\Z"
# Narrower than the worker's: cloudbuild.yaml hands it on where a comma would end it.
_ARTIFACTS = r"^(none|gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[A-Za-z0-9._/-]{0,400})?)\Z"
_DAY_SECONDS = 24 * 3600


def _none(value: object) -> object:
    return "none" if value == "" else value


def _resource(default: str, about: str) -> Any:
    want = "a letter, then letters, digits and ._~%+-, 3 to 255 in all, not goog..."
    return setting(default, want, about, pattern=_RESOURCE)


def _account(default: str, about: str) -> Any:
    return setting(default, "6 to 30 of a-z, 0-9 and -", about, pattern=_ACCOUNT)


class Deployment(BaseModel):
    """Every setting of deploy.toml, and the full names that follow from them."""

    # Strict: `true` is no number of threads, nor is "8".
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, regex_engine="python-re")

    project: str = setting(
        ..., "a project id",
        "The project. Without it: `--project`, GOOGLE_CLOUD_PROJECT.", pattern=_PROJECT,
    )  # fmt: skip
    region: str = setting(
        "europe-west1", "a region such as europe-west1",
        "Of the service, the images and Firestore.", pattern=r"^[a-z]+-[a-z]+[0-9]+\Z",
    )  # fmt: skip
    service: str = setting(
        "feature-worker", "a-z, 0-9 and -, at most 37",
        "The Cloud Run service; its name and a canary's tag have 46 letters.",
        pattern=r"^[a-z]([a-z0-9-]{0,35}[a-z0-9])?\Z",
    )  # fmt: skip
    topic: str = _resource("features", "Where features are published.")
    subscription: str = _resource("feature-worker", "Pushes them to the service.")
    dead_letter_topic: str = _resource(
        "feature-worker-dead", "What Pub/Sub gave up on; its subscription has the same name."
    )
    quarantine_topic: str = _resource(
        "feature-worker-quarantine", "What the worker rejected; its subscription has the same name."
    )
    runtime_account: str = _account("feature-worker", "The account that the worker runs as.")
    push_account: str = _account(
        "feature-worker-push", "The account whose token is on each push; it alone may call."
    )
    build_account: str = _account("feature-worker-build", "The account that cloudbuild.yaml uses.")
    repository: str = setting(
        "feature-worker", "a-z, 0-9 and -, at most 63",
        "The Artifact Registry repository of the images.",
        pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?\Z",
    )  # fmt: skip
    claims: str = setting(
        "firestore", "memory, firestore, firestore:DATABASE, or redis://...",
        "CLAIMS of the worker. With firestore, provision makes the database and its TTL policy.",
        pattern=r"^(memory|firestore(:(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]))?|rediss?://[!-~]+)\Z",
    )  # fmt: skip
    artifacts: Annotated[str, BeforeValidator(_none)] = setting(
        "none", "none or gs://BUCKET/PREFIX",
        "ARTIFACTS of the worker. With a bucket, provision makes it.", pattern=_ARTIFACTS,
    )  # fmt: skip
    unknown_feature: Literal["reject", "build"] = setting(
        "reject", "reject or build",
        "UNKNOWN_FEATURE of the worker. To build takes an image that can, and `artifacts`.",
    )  # fmt: skip
    ack_deadline_seconds: int = setting(
        10, "10 to 600",
        "Ack deadline of the subscription, and ACK_DEADLINE_SECONDS of the worker, whose handlers "
        "have a second less.", ge=10, le=600,
    )  # fmt: skip
    min_retry_seconds: int = setting(
        10, "0 to 600", "Shortest delay before a nacked message comes again.", ge=0, le=600
    )
    max_retry_seconds: int = setting(600, "0 to 600", "Longest delay.", ge=0, le=600)
    max_delivery_attempts: int = setting(
        20, "5 to 100", "After so many a message is dead-lettered.", ge=5, le=100
    )
    retention_days: int = setting(
        7, "1 to 31", "How long messages that are not acked are kept.", ge=1, le=31
    )
    dead_letter_retention_days: int = setting(
        31, "1 to 31", "How long dead-lettered and quarantined messages are kept.", ge=1, le=31
    )
    handler_threads: int = setting(
        8, "1 to 250", "HANDLER_THREADS of the worker, and concurrency of an instance.",
        ge=1, le=250,
    )  # fmt: skip
    memory_mib: int = setting(512, "128 to 32768", "Memory of an instance.", ge=128, le=32768)
    max_instances: int = setting(10, "1 to 1000", "Most instances.", ge=1, le=1000)
    timeout_seconds: int = setting(
        610, "10 to 3600", "Cloud Run's request timeout; above the ack deadline.", ge=10, le=3600
    )
    alert_emails: tuple[Annotated[str, Field(pattern=_EMAIL)], ...] = setting(
        (), "a list of e-mail addresses", "Who is told of alerts. Empty: nobody is.", strict=False
    )

    @classmethod
    def want(cls, name: str) -> str:
        """What a setting takes, in words."""
        return want_of(cls, name)

    def topic_name(self, topic: str) -> str:
        """`projects/P/topics/T`."""
        return f"projects/{self.project}/topics/{topic}"

    def subscription_name(self, subscription: str) -> str:
        """`projects/P/subscriptions/S`."""
        return f"projects/{self.project}/subscriptions/{subscription}"

    @property
    def service_name(self) -> str:
        """`projects/P/locations/R/services/S`, as version 2 of Cloud Run's API calls it."""
        return f"projects/{self.project}/locations/{self.region}/services/{self.service}"

    def email(self, account: str) -> str:
        """The address of one of its service accounts."""
        return f"{account}@{self.project}.iam.gserviceaccount.com"

    @property
    def database(self) -> str:
        """The Firestore database of the claims, "" when they are kept elsewhere."""
        kind, _, database = self.claims.partition(":")
        return (database or "(default)") if kind == "firestore" else ""

    @property
    def bucket(self) -> str:
        """The bucket of the artifacts, "" where none are kept."""
        return bucket_of(self.artifacts)

    @property
    def retention_seconds(self) -> int:
        """Of messages that are not acked."""
        return self.retention_days * _DAY_SECONDS

    @property
    def dead_letter_retention_seconds(self) -> int:
        """Of dead-lettered and quarantined messages."""
        return self.dead_letter_retention_days * _DAY_SECONDS


def bucket_of(artifacts: str) -> str:
    """The bucket in a setting of ARTIFACTS, "" where it names none."""
    kind, _, place = artifacts.partition("://")
    return place.partition("/")[0] if kind == "gs" else ""


def pubsub_agent(project_number: str) -> str:
    """Pub/Sub's own account in a project: makes the tokens, forwards the dead letters."""
    return f"service-{project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"
