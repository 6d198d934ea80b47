"""Settings: what each variable takes, and one message that names everything that is wrong."""

import re

import pytest
from pydantic import ValidationError

from worker.config import (
    GOOGLE_CERTS,
    LogSink,
    PushAuth,
    Settings,
    SettingsInvalid,
    folder_of,
    hide,
    read_settings,
)
from worker.outcome import NOTICE

DEFAULTS = {
    "PORT": "8080",
    "HOST": "127.0.0.1",
    "PUSH_AUTH": "none",
    "PUSH_AUDIENCE": "",
    "PUSH_SERVICE_ACCOUNT": "",
    "PUSH_CERTS_URL": GOOGLE_CERTS,
    "QUARANTINE": "folder:quarantine",
    "CLAIMS": "memory",
    "CLAIMS_ON_ERROR": "nack",
    "CLAIM_LEASE_SECONDS": "60",
    "CLAIM_RETENTION_SECONDS": "604800",
    "ARTIFACTS": "folder:artifacts",
    "UNKNOWN_FEATURE": "reject",
    "LOG_SINK": "stdout",
    "LOG_LEVEL": "INFO",
    "HANDLERS": "handlers",
    "HANDLER_THREADS": "8",
    "ACK_DEADLINE_SECONDS": "10",
    "GOOGLE_CLOUD_PROJECT": "",
    "WORKERS": "1",
}
ANYWHERE = "0.0.0.0"  # noqa: S104 - nothing binds to it here
OIDC = {
    "PUSH_AUTH": "oidc",
    "PUSH_AUDIENCE": "https://worker.example",
    "PUSH_SERVICE_ACCOUNT": "push@demo.iam.gserviceaccount.com",
}
CLOUD_RUN = {"K_SERVICE": "my-service", "K_REVISION": "my-service-00007", "PUSH_AUTH": "none"}


def problems(**environment: str) -> str:
    with pytest.raises(SettingsInvalid) as caught:
        read_settings(environment)
    return str(caught.value)


def test_every_setting_has_a_default_on_a_laptop() -> None:
    assert read_settings({}).effective() == DEFAULTS
    assert Settings.variables() == list(DEFAULTS)


def test_a_variable_that_is_empty_counts_as_not_set() -> None:
    assert read_settings(dict.fromkeys([*DEFAULTS, "K_SERVICE"], "")) == read_settings({})


def test_other_variables_are_none_of_ours() -> None:
    assert read_settings({"PATH": "/bin", "SERVICE": "x", "port": "1"}) == read_settings({})


GOOD = [
    ("PORT", "0"), ("PORT", "65535"), ("HOST", ANYWHERE), ("PUSH_AUTH", "cloud-run-iam"),
    ("PUSH_AUDIENCE", "anything"), ("PUSH_CERTS_URL", "https://certs.example/x"),
    ("PUSH_CERTS_URL", "http://127.0.0.1:8099/certs"), ("PUSH_CERTS_URL", "http://localhost/x"),
    ("PUSH_CERTS_URL", "http://[::1]:80/x"), ("QUARANTINE", "none"),
    ("QUARANTINE", "folder:/var/q"), ("QUARANTINE", "topic:projects/demo/topics/bad-messages"),
    ("QUARANTINE", "topic:projects/example.com:demo/topics/abc"), ("CLAIMS", "memory"),
    ("CLAIMS", "redis://10.0.0.3"), ("CLAIMS", "rediss://cache.example:6378/1?ssl_cert_reqs=none"),
    ("CLAIMS_ON_ERROR", "run"), ("CLAIM_LEASE_SECONDS", "1"), ("CLAIM_LEASE_SECONDS", "3600"),
    ("CLAIM_RETENTION_SECONDS", "1"), ("CLAIM_RETENTION_SECONDS", "31536000"),
    ("ARTIFACTS", "none"), ("ARTIFACTS", "folder:/var/made files"), ("ARTIFACTS", "gs://abc"),
    ("ARTIFACTS", "gs://my-project.example.com/"), ("ARTIFACTS", "gs://my_bucket/some/prefix"),
    ("UNKNOWN_FEATURE", "reject"), ("UNKNOWN_FEATURE", "build"),
    ("LOG_LEVEL", "DEBUG"), ("LOG_LEVEL", "NOTICE"), ("LOG_LEVEL", "CRITICAL"),
    ("HANDLERS", "my_company.handlers"), ("HANDLER_THREADS", "1"), ("HANDLER_THREADS", "250"),
    ("ACK_DEADLINE_SECONDS", "10"), ("ACK_DEADLINE_SECONDS", "600"),
    ("GOOGLE_CLOUD_PROJECT", "my-project-1"), ("WORKERS", "1"),
    ("WORKERS", "64"),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "value"), GOOD)
def test_a_good_value_is_taken_and_shown(variable: str, value: str) -> None:
    assert read_settings({variable: value}).effective() == {**DEFAULTS, variable: value}


BAD = [
    ("PORT", "soon"), ("PORT", "-1"), ("PORT", "65536"), ("PORT", "80.5"),
    ("PUSH_AUTH", "OIDC"), ("PUSH_AUTH", "yes"),
    ("PUSH_CERTS_URL", "http://certs.example"), ("PUSH_CERTS_URL", "file:///etc/passwd"),
    ("PUSH_CERTS_URL", "http://127.evil.example/"), ("PUSH_CERTS_URL", "http://localhost.evil/"),
    ("PUSH_CERTS_URL", "https:///x"),
    ("PUSH_SERVICE_ACCOUNT", ","), ("PUSH_SERVICE_ACCOUNT", " "),
    ("QUARANTINE", "folder:"), ("QUARANTINE", "folder"), ("QUARANTINE", "topic:bad"),
    ("QUARANTINE", "topic:projects/demo/topics/a"), ("QUARANTINE", "None"),
    ("CLAIMS", "redis"), ("CLAIMS", "redis://"), ("CLAIMS", "redis:///0"), ("CLAIMS", "Memory"),
    ("CLAIMS", "memory:"), ("CLAIMS", "firestores"),
    ("CLAIMS_ON_ERROR", "fail"), ("CLAIM_LEASE_SECONDS", "0"), ("CLAIM_LEASE_SECONDS", "3601"),
    ("CLAIM_RETENTION_SECONDS", "0"), ("CLAIM_RETENTION_SECONDS", "31536001"),
    ("ARTIFACTS", "folder:"), ("ARTIFACTS", "artifacts"), ("ARTIFACTS", "gs://"),
    ("ARTIFACTS", "gs:///prefix"), ("ARTIFACTS", "gs://a"), ("ARTIFACTS", "gs://My-Bucket"),
    ("ARTIFACTS", "gs://bucket\n/x"), ("ARTIFACTS", "gs://bucket/a\x00"), ("ARTIFACTS", "s3://bucket"),
    ("UNKNOWN_FEATURE", "Build"), ("UNKNOWN_FEATURE", "true"),
    ("LOG_SINK", "file"), ("LOG_LEVEL", "LOUD"),
    ("HANDLERS", "my-handlers"), ("HANDLERS", "handlers/"), ("HANDLERS", "handlers."),
    ("HANDLERS", "../x"), ("HANDLER_THREADS", "0"), ("HANDLER_THREADS", "251"),
    ("ACK_DEADLINE_SECONDS", "9"), ("ACK_DEADLINE_SECONDS", "601"),
    ("GOOGLE_CLOUD_PROJECT", "My Project"), ("WORKERS", "0"), ("WORKERS", "65"),
    ("WORKERS", "many"),
]  # fmt: skip


@pytest.mark.parametrize(("variable", "value"), BAD)
def test_a_bad_value_is_shown_with_what_is_wanted_instead(variable: str, value: str) -> None:
    assert (
        problems(**{variable: value}) == f"{variable} is {value!r} (want {Settings.want(variable)})"
    )


@pytest.mark.parametrize("value", ["firestore", "firestore:(default)", "firestore:my-claims"])
def test_firestore_needs_a_project(value: str) -> None:
    assert problems(CLAIMS=value).startswith("GOOGLE_CLOUD_PROJECT is not set (want a project id")
    assert read_settings({"CLAIMS": value, "GOOGLE_CLOUD_PROJECT": "demo"}).claims == value


@pytest.mark.parametrize("value", ["firestore:", "firestore:My_Database", "firestore:a/b"])
def test_a_database_has_a_name(value: str) -> None:
    said = problems(CLAIMS=value, GOOGLE_CLOUD_PROJECT="demo")
    assert said == f"CLAIMS is {value!r} (want {Settings.want('CLAIMS')})"


def test_every_problem_is_in_one_message() -> None:
    text = problems(PORT="soon", WORKERS="0", PUSH_AUTH="oidc", LOG_SINK="api", K_SERVICE="s")
    parts = text.split("; ")
    assert {part.split(" is ")[0] for part in parts} == {
        "PORT", "WORKERS", "PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT", "GOOGLE_CLOUD_PROJECT",
    }  # fmt: skip
    assert all(re.fullmatch(r"\S+ is (not set|'.*') \(want .+\)", part) for part in parts)


def test_every_variable_says_what_it_wants_and_what_it_is_for() -> None:
    for variable in Settings.variables():
        assert Settings.want(variable)
        assert (Settings.model_fields[variable.lower()].description or "").strip().endswith(".")


# --- authentication


@pytest.mark.parametrize("missing", ["PUSH_AUDIENCE", "PUSH_SERVICE_ACCOUNT"])
@pytest.mark.parametrize("how", ["absent", "empty"])
def test_oidc_needs_an_audience_and_an_account(missing: str, how: str) -> None:
    rest = {name: value for name, value in OIDC.items() if name != missing}
    text = problems(**rest, **({missing: ""} if how == "empty" else {}))
    want = Settings.want(missing)
    assert text == f"{missing} is not set (want {want}, needed with PUSH_AUTH=oidc)"


def test_several_push_accounts_are_separated_by_commas() -> None:
    settings = read_settings({**OIDC, "PUSH_SERVICE_ACCOUNT": " a@x , b@y,, "})
    assert settings.accounts == {"a@x", "b@y"}
    assert settings.effective()["PUSH_SERVICE_ACCOUNT"] == "a@x,b@y"
    assert settings.push_auth is PushAuth.OIDC


# --- Cloud Run


def test_on_cloud_run_authentication_must_be_chosen() -> None:
    assert problems(K_SERVICE="s") == ("PUSH_AUTH is not set (want oidc, cloud-run-iam or none)")


def test_cloud_run_has_its_own_defaults() -> None:
    settings = read_settings(CLOUD_RUN)
    expected = {"HOST": ANYWHERE, "QUARANTINE": "none", "ARTIFACTS": "none"}
    assert settings.effective() == {**DEFAULTS, **expected}
    assert (settings.service, settings.revision) == ("my-service", "my-service-00007")


def test_what_is_set_counts_before_the_defaults_of_cloud_run() -> None:
    chosen = {"HOST": "::", "QUARANTINE": "folder:/q", "ARTIFACTS": "gs://made"}
    assert read_settings({**CLOUD_RUN, **chosen}).effective() == {**DEFAULTS, **chosen}


def test_elsewhere_the_service_has_our_name_and_no_revision() -> None:
    settings = read_settings({"K_REVISION": "ignored"})
    assert (settings.service, settings.revision) == ("feature-worker", "")


# --- the rest


def test_the_api_sink_needs_a_project() -> None:
    assert problems(LOG_SINK="api") == (
        "GOOGLE_CLOUD_PROJECT is not set (want a project id, needed with LOG_SINK=api)"
    )
    settings = read_settings({"LOG_SINK": "api"}, project="from-metadata")
    assert settings.log_sink is LogSink.API
    assert settings.google_cloud_project == "from-metadata"


def test_a_project_that_is_set_counts_before_that_of_the_metadata_server() -> None:
    settings = read_settings({"GOOGLE_CLOUD_PROJECT": "chosen"}, project="from-metadata")
    assert settings.google_cloud_project == "chosen"


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("DEBUG", 10),
        ("INFO", 20),
        ("notice", NOTICE),
        ("WARNING", 30),
        ("ERROR", 40),
        ("CRITICAL", 50),
    ],
)
def test_the_level_is_a_logging_number(name: str, level: int) -> None:
    assert read_settings({"LOG_LEVEL": name}).level == level


def test_a_push_is_answered_a_second_before_the_ack_deadline() -> None:
    assert read_settings({"ACK_DEADLINE_SECONDS": "60"}).budget_seconds == 59.0


def test_unknown_features_are_built_only_when_that_is_chosen() -> None:
    assert not read_settings({}).builds_unknown
    assert read_settings({"UNKNOWN_FEATURE": "build"}).builds_unknown


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read_settings({}).port = 1  # type: ignore[misc]  # that is the point


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("https://user:SECRET@host/path", "https://***@host/path"),
        ("https://user:SEC@RET@host", "https://***@host"),
        ("https://SECRET@host", "https://***@host"),
        ("https://host/a@b", "https://***@b"),
        ("redis://:SEC/RET@host:6379/0", "redis://***@host:6379/0"),
        ("redis://host/0?password=SECRET&timeout=2", "redis://host/0?password=***&timeout=2"),
        ("a@b", "a@b"),
    ],
)
def test_a_password_in_an_address_is_hidden(text: str, hidden: str) -> None:
    assert hide(text) == hidden


def test_a_password_is_shown_neither_in_the_settings_nor_in_a_problem() -> None:
    shown = read_settings({"PUSH_CERTS_URL": "https://user:SECRET@host/x"}).effective()
    assert shown["PUSH_CERTS_URL"] == "https://***@host/x"
    assert "SECRET" not in problems(PUSH_CERTS_URL="ftp://user:SECRET@host/x")


def test_the_folder_is_what_stands_behind_the_colon() -> None:
    assert str(folder_of("folder:/var/a:b")) == "/var/a:b"
