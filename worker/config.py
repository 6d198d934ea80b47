"""Settings: environment variables, read once, frozen; every problem is reported in one message.

Two deployments differ in their defaults: on Cloud Run (K_SERVICE is set) the worker listens on
every address and PUSH_AUTH must be chosen; elsewhere it listens on loopback and trusts it.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from worker.outcome import NOTICE

_LEVELS = {
    "DEBUG": 10,
    "INFO": 20,
    "NOTICE": NOTICE,
    "WARNING": 30,
    "ERROR": 40,
    "CRITICAL": 50,
}
GOOGLE_CERTS = "https://www.googleapis.com/oauth2/v1/certs"
MARGIN_SECONDS = 1.0  # between our answer and Pub/Sub's ack deadline: the way there and back
RETENTION_SECONDS = 7 * 24 * 3600  # a subscription keeps a message that long, unless it says else


class SettingsInvalid(Exception):
    """The environment does not make a configuration. The text names every problem."""


class PushAuth(StrEnum):
    """Who checks that a push comes from our subscription."""

    OIDC = "oidc"
    CLOUD_RUN_IAM = "cloud-run-iam"
    NONE = "none"


class OnError(StrEnum):
    """What becomes of a push while the store of claims cannot be used."""

    NACK = "nack"
    RUN = "run"


class UnknownFeature(StrEnum):
    """What becomes of a payload for a feature that has no handler."""

    REJECT = "reject"
    BUILD = "build"


class LogSink(StrEnum):
    """Where log entries go."""

    STDOUT = "stdout"
    API = "api"


def want_of(settings: type[BaseModel], name: str) -> str:
    """What one of its fields takes, in words; "" where nothing says it."""
    extra = settings.model_fields[name].json_schema_extra
    return str(extra["want"]) if isinstance(extra, dict) else ""


def _split(value: object) -> object:
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def setting(default: Any, want: str, about: str, **limits: Any) -> Any:
    """A field of settings: `want` says in words what it takes, `about` what it is for."""
    return Field(default, description=about, json_schema_extra={"want": want}, **limits)


_PROJECT = r"[a-z][a-z0-9.:-]{1,98}[a-z0-9]"
_QUARANTINE = (
    rf"^(none|folder:.+|topic:projects/{_PROJECT}/topics/[A-Za-z][A-Za-z0-9._~%+-]{{2,254}})$"
)
_ARTIFACTS = r"^(none|folder:.+|gs://[a-z0-9][a-z0-9._-]{1,220}[a-z0-9](/[^\x00-\x1f\x7f]*)?)$"
_CLAIMS = (
    r"^(memory|firestore(:(\(default\)|[a-z][a-z0-9-]{2,61}[a-z0-9]))?|rediss?://[^/?#\s]+[^\s]*)$"
)


class Settings(BaseModel):
    """Every setting of `python -m worker serve`. The variable is the field's name in capitals."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int = setting(
        8080, "a port, 0 picks a free one", "Port to listen on; 0 picks a free one and says which.",
        ge=0, le=65535,
    )  # fmt: skip
    host: str = setting(
        "127.0.0.1", "an address",
        "Address to listen on. On Cloud Run the default is 0.0.0.0.",
    )  # fmt: skip
    push_auth: PushAuth = setting(
        PushAuth.NONE, "oidc, cloud-run-iam or none",
        "Who checks that a push is ours: `oidc` (this worker verifies the token), `cloud-run-iam` "
        "(IAM did, before the container) or `none`. On Cloud Run it must be set.",
    )  # fmt: skip
    push_audience: str | None = setting(
        None, "the audience of the push subscription",
        "Audience that the token must name. Needed with PUSH_AUTH=oidc.",
    )  # fmt: skip
    push_service_account: Annotated[tuple[str, ...], BeforeValidator(_split)] = setting(
        (), "the push account's e-mail address, several separated by commas",
        "Accounts whose tokens are accepted. Needed with PUSH_AUTH=oidc.", min_length=1,
    )  # fmt: skip
    push_certs_url: str = setting(
        GOOGLE_CERTS, "an https address (http on loopback only)",
        "Where the token's certificates are: a PEM map or a JWKS.",
        pattern=r"^(https://[^/]|http://(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?(/|$))",
    )  # fmt: skip
    quarantine: str = setting(
        "folder:quarantine", "folder:PATH, topic:projects/P/topics/T or none",
        "Where a rejected message is kept before it is acked. `none` nacks it instead, so that the "
        "subscription's dead-letter policy decides; that is the default on Cloud Run.",
        pattern=_QUARANTINE,
    )  # fmt: skip
    claims: str = setting(
        "memory", "memory, firestore, firestore:DATABASE, redis://HOST:PORT/DB or rediss://...",
        "Where the keys of handled messages are kept: in this process, or in a store that every "
        "process and instance shares.", pattern=_CLAIMS,
    )  # fmt: skip
    claims_on_error: OnError = setting(
        OnError.NACK, "nack or run",
        "While the store of claims cannot be used: `nack` runs nothing (503), `run` handles "
        "messages without its protection and says so in the entry.",
    )  # fmt: skip
    claim_lease_seconds: int = setting(
        60, "1 to 3600",
        "How long a claim outlives a worker that died with it. A worker that lives renews its "
        "claims as long as their handlers run.", ge=1, le=3600,
    )  # fmt: skip
    claim_retention_seconds: int = setting(
        RETENTION_SECONDS, "1 to 31536000",
        "How long the key of a handled message is remembered; not less than the subscription "
        "keeps messages.", ge=1, le=365 * 24 * 3600,
    )  # fmt: skip
    artifacts: str = setting(
        "folder:artifacts", "folder:PATH, gs://BUCKET/PREFIX or none",
        "Where handlers keep the files that they make. With `none` a message whose handler keeps "
        "some is nacked; that is the default on Cloud Run, where a folder is gone with its "
        "instance.", pattern=_ARTIFACTS,
    )  # fmt: skip
    unknown_feature: UnknownFeature = setting(
        UnknownFeature.REJECT, "reject or build",
        "What becomes of a payload for a feature that has no handler: `reject` it, or `build` the "
        "feature that it describes.",
    )  # fmt: skip
    log_sink: LogSink = setting(
        LogSink.STDOUT, "stdout or api",
        "`stdout` for Cloud Run and wherever an agent reads it; `api` writes to Cloud Logging.",
    )  # fmt: skip
    log_level: Annotated[str, BeforeValidator(str.upper)] = setting(
        "INFO", "DEBUG, INFO, NOTICE, WARNING, ERROR or CRITICAL",
        "Entries under this are not written. The canonical entry of a push always is.",
        pattern=f"^({'|'.join(_LEVELS)})$",
    )  # fmt: skip
    handlers: str = setting(
        "handlers", "the name of a Python package",
        "Package whose modules are the handlers.", pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$",
    )  # fmt: skip
    handler_threads: int = setting(
        8, "1 to 250", "Handlers that run at the same time in one process.", ge=1, le=250
    )
    ack_deadline_seconds: int = setting(
        10, "10 to 600, as the subscription's",
        "The subscription's ack deadline in seconds. A push is answered one second before it.",
        ge=10, le=600,
    )  # fmt: skip
    google_cloud_project: str | None = setting(
        None, "a project id",
        "Project of the traces, of LOG_SINK=api and of CLAIMS=firestore. On Cloud Run it is asked "
        "of the metadata server when not set.", pattern=f"^{_PROJECT}$",
    )  # fmt: skip
    workers: int = setting(
        1, "1 to 64", "Processes. With more than one, log lines are cut at 4 KiB.", ge=1, le=64
    )
    on_cloud_run: bool = Field(default=False, exclude=True)  # K_SERVICE is set
    service: str = Field("feature-worker", exclude=True)  # K_SERVICE
    revision: str = Field("", exclude=True)  # K_REVISION

    @property
    def accounts(self) -> frozenset[str]:
        """The push accounts."""
        return frozenset(self.push_service_account)

    @property
    def builds_unknown(self) -> bool:
        """Whether a payload for a feature without a handler has it built."""
        return self.unknown_feature is UnknownFeature.BUILD

    @property
    def level(self) -> int:
        """LOG_LEVEL as a logging number."""
        return _LEVELS[self.log_level]

    @property
    def budget_seconds(self) -> float:
        """What one push may take before it is answered 504."""
        return self.ack_deadline_seconds - MARGIN_SECONDS

    @classmethod
    def variables(cls) -> list[str]:
        """The names of the environment variables, in the order of the documentation."""
        return [name.upper() for name, info in cls.model_fields.items() if not info.exclude]

    @classmethod
    def want(cls, variable: str) -> str:
        """What a variable takes, in words."""
        return want_of(cls, variable.lower())

    def effective(self) -> dict[str, str]:
        """Variable -> value as text, with passwords in addresses hidden."""
        shown = {}
        for name in self.variables():
            value = getattr(self, name.lower())
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            shown[name] = "" if value is None else hide(text)
        return shown


def read_settings(environment: Mapping[str, str], *, project: str | None = None) -> Settings:
    """The settings that the environment describes; a variable that is empty counts as not set.

    `project` is used where GOOGLE_CLOUD_PROJECT is not set. Raises SettingsInvalid.
    """
    given: dict[str, Any] = {
        name.lower(): environment[name] for name in Settings.variables() if environment.get(name)
    }
    if project:
        given.setdefault("google_cloud_project", project)
    problems = _missing(given)
    if environment.get("K_SERVICE"):
        given = {"host": "0.0.0.0", "quarantine": "none", "artifacts": "none", **given}  # noqa: S104 - Cloud Run's contract
        given |= {
            "on_cloud_run": True,
            "service": environment["K_SERVICE"],
            "revision": environment.get("K_REVISION", ""),
        }
        if "push_auth" not in given:
            problems.append(f"PUSH_AUTH is not set (want {Settings.want('PUSH_AUTH')})")
    try:
        settings = Settings.model_validate(given)
    except ValidationError as error:
        problems += [_problem(given, str(p["loc"][0])) for p in error.errors()]
    if problems:
        raise SettingsInvalid("; ".join(problems))
    return settings


def _missing(given: Mapping[str, Any]) -> list[str]:
    """What other settings make necessary; asked of the raw values, so that nothing is masked."""
    needs = [
        (given.get("push_auth") == PushAuth.OIDC, "PUSH_AUDIENCE", "PUSH_AUTH=oidc"),
        (given.get("push_auth") == PushAuth.OIDC, "PUSH_SERVICE_ACCOUNT", "PUSH_AUTH=oidc"),
        (given.get("log_sink") == LogSink.API, "GOOGLE_CLOUD_PROJECT", "LOG_SINK=api"),
        (_is_firestore(given.get("claims")), "GOOGLE_CLOUD_PROJECT", "CLAIMS=firestore"),
    ]
    return [
        f"{variable} is not set (want {Settings.want(variable)}, needed with {cause})"
        for needed, variable, cause in needs
        if needed and not given.get(variable.lower())
    ]


def _is_firestore(claims: Any) -> bool:
    return str(claims).partition(":")[0] == "firestore"


def _problem(given: Mapping[str, Any], name: str) -> str:
    return f"{name.upper()} is {hide(given[name])!r} (want {Settings.want(name.upper())})"


def hide(text: str) -> str:
    """An address without its password, which may hold a slash that should have been encoded."""
    return re.sub(r"([?&]password=)[^&]*", r"\1***", re.sub(r"//.*@", "//***@", text))


def folder_of(quarantine: str) -> Path:
    """The path in `folder:PATH`."""
    return Path(quarantine.partition(":")[2])
