"""deploy.toml: what is deployed, and where; read once, frozen, every problem in one message."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = "deploy.toml"
# Wider than Google's rules on purpose: the laptop cloud and the emulator take the project "demo".
_PROJECT = r"^[a-z][a-z0-9.:-]{0,61}[a-z0-9]$"
_RESOURCE = r"^(?!goog)[A-Za-z][A-Za-z0-9._~%+-]{2,254}$"
_ACCOUNT = r"^[a-z][a-z0-9-]{4,28}[a-z0-9]$"
_DAY_SECONDS = 24 * 3600


class DeploymentInvalid(Exception):
    """deploy.toml makes no deployment. One line that names every problem."""


def _setting(default: Any, want: str, about: str, **limits: Any) -> Any:
    return Field(default, description=about, json_schema_extra={"want": want}, **limits)


def _resource(default: str, about: str) -> Any:
    want = "a letter, then letters, digits and ._~%+-, 3 to 255 in all, not goog..."
    return _setting(default, want, about, pattern=_RESOURCE)


def _account(default: str, about: str) -> Any:
    return _setting(default, "6 to 30 of a-z, 0-9 and -", about, pattern=_ACCOUNT)


class Deployment(BaseModel):
    """Every setting of deploy.toml, and the full names that follow from them."""

    model_config = ConfigDict(frozen=True, extra="forbid", regex_engine="python-re")

    project: str = _setting(
        ..., "a project id",
        "The project. Without it: `--project`, GOOGLE_CLOUD_PROJECT.", pattern=_PROJECT,
    )  # fmt: skip
    region: str = _setting(
        "europe-west1", "a region such as europe-west1",
        "Of the service, the images and Firestore.", pattern=r"^[a-z]+-[a-z]+\d+$",
    )  # fmt: skip
    service: str = _setting(
        "feature-worker", "a-z, 0-9 and -, at most 49",
        "The Cloud Run service.", pattern=r"^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$",
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
    repository: str = _setting(
        "feature-worker", "a-z, 0-9 and -, at most 63",
        "The Artifact Registry repository of the images.",
        pattern=r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
    )  # fmt: skip
    claims: str = _setting(
        "firestore", "memory, firestore, firestore:DATABASE, or redis://...",
        "CLAIMS of the worker. With firestore, provision makes the database and its TTL policy.",
        pattern=r"^(memory|firestore(:(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]))?|rediss?://\S+)$",
    )  # fmt: skip
    ack_deadline_seconds: int = _setting(
        10, "10 to 600",
        "Ack deadline of the subscription, and ACK_DEADLINE_SECONDS of the worker, whose handlers "
        "have a second less.", ge=10, le=600,
    )  # fmt: skip
    min_retry_seconds: int = _setting(
        10, "0 to 600", "Shortest delay before a nacked message comes again.", ge=0, le=600
    )
    max_retry_seconds: int = _setting(600, "0 to 600", "Longest delay.", ge=0, le=600)
    max_delivery_attempts: int = _setting(
        20, "5 to 100", "After so many a message is dead-lettered.", ge=5, le=100
    )
    retention_days: int = _setting(
        7, "1 to 31", "How long messages that are not acked are kept.", ge=1, le=31
    )
    dead_letter_retention_days: int = _setting(
        31, "1 to 31", "How long dead-lettered and quarantined messages are kept.", ge=1, le=31
    )
    handler_threads: int = _setting(
        8, "1 to 250", "HANDLER_THREADS of the worker, and concurrency of an instance.",
        ge=1, le=250,
    )  # fmt: skip
    memory_mib: int = _setting(512, "128 to 32768", "Memory of an instance.", ge=128, le=32768)
    max_instances: int = _setting(10, "1 to 1000", "Most instances.", ge=1, le=1000)
    timeout_seconds: int = _setting(
        610, "10 to 3600", "Cloud Run's request timeout; above the ack deadline.", ge=10, le=3600
    )
    alert_emails: tuple[str, ...] = _setting(
        (), "a list of e-mail addresses", "Who is told of alerts. Empty: nobody is."
    )

    @classmethod
    def want(cls, name: str) -> str:
        """What a setting takes, in words."""
        extra = cls.model_fields[name].json_schema_extra
        return str(extra["want"]) if isinstance(extra, dict) else ""

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
    def retention_seconds(self) -> int:
        """Of messages that are not acked."""
        return self.retention_days * _DAY_SECONDS

    @property
    def dead_letter_retention_seconds(self) -> int:
        """Of dead-lettered and quarantined messages."""
        return self.dead_letter_retention_days * _DAY_SECONDS


def pubsub_agent(project_number: str) -> str:
    """Pub/Sub's own account in a project: makes the tokens, forwards the dead letters."""
    return f"service-{project_number}@gcp-sa-pubsub.iam.gserviceaccount.com"


def read_deployment(path: Path | None = None, **given: Any) -> Deployment:
    """deploy.toml, or the file at `path`; what is `given` and not None has precedence.

    Without a `path` the file may be missing: then the defaults hold. Raises DeploymentInvalid.
    """
    found = _read(path or Path(FILE), needed=path is not None)
    found |= {name: value for name, value in given.items() if value is not None}
    if not found.get("project"):
        found["project"] = os.environ.get("GOOGLE_CLOUD_PROJECT") or None
    try:
        deployment = Deployment.model_validate(found)
    except ValidationError as error:
        problems = dict.fromkeys(_problem(one["loc"], found) for one in error.errors())
        raise DeploymentInvalid(f"{path or FILE}: {'; '.join(problems)}") from None
    if deployment.min_retry_seconds > deployment.max_retry_seconds:
        raise DeploymentInvalid(
            f"{path or FILE}: min_retry_seconds is more than max_retry_seconds (want at most that)"
        )
    return deployment


def _read(path: Path, *, needed: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except FileNotFoundError:
        if needed:
            raise DeploymentInvalid(f"{path} is not there") from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise DeploymentInvalid(f"{path} cannot be read: {type(error).__name__}") from None
    except tomllib.TOMLDecodeError as error:
        raise DeploymentInvalid(f"{path} is no TOML: {error}") from None


def _problem(place: tuple[int | str, ...], found: Mapping[str, Any]) -> str:
    name = str(place[0])
    if name not in Deployment.model_fields:
        return f"{name} is no setting (docs/deploy.md lists them)"
    if name == "project" and not found.get("project"):
        return "project is not known (give it there, or --project, or set GOOGLE_CLOUD_PROJECT)"
    return f"{name} does not fit (want {Deployment.want(name)})"
