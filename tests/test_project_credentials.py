"""Whose leave the tools use: application-default credentials, else gcloud's, else nobody's."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError
from google.oauth2.credentials import Credentials

from worker.project import credentials
from worker.project.credentials import find_credentials

Gcloud = Callable[[str], Path]


@pytest.fixture(autouse=True)
def _nothing_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", raising=False)
    credentials._search.cache_clear()
    monkeypatch.setattr(credentials, "_search", _forgetful())


def _forgetful() -> Callable[[], object]:
    """The search with a memory of this test's own."""
    import functools

    return functools.cache(credentials._search.__wrapped__)


@pytest.fixture
def gcloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gcloud:
    """A gcloud on PATH that does what the script says, and nothing else is there."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def write(script: str) -> Path:
        program = tmp_path / "gcloud"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
        return program

    return write


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No application-default credentials; each search for them is in the list."""
    searches: list[str] = []

    def default(scopes: list[str]) -> None:
        searches.append(threading.current_thread().name)
        raise DefaultCredentialsError("none are there")

    monkeypatch.setattr(google.auth, "default", default)
    return searches


def test_the_application_default_credentials_come_first(
    monkeypatch: pytest.MonkeyPatch, gcloud: Gcloud
) -> None:
    gcloud("echo of-gcloud")
    own = AnonymousCredentials()
    monkeypatch.setattr(google.auth, "default", lambda scopes: (own, "a-project"))
    assert find_credentials() is own


def test_without_them_gclouds_account_is_asked(gcloud: Gcloud, without: list[str]) -> None:
    gcloud('[ "$*" = "auth print-access-token --quiet" ] && echo a-token')
    found = find_credentials()
    assert isinstance(found, Credentials)
    assert found.token == "a-token"


@pytest.mark.parametrize(
    "script", ["exit 1", "echo a-token; exit 1", "true", "echo"],
    ids=["refuses", "prints and fails", "prints nothing", "prints an empty line"],
)  # fmt: skip
def test_a_gcloud_without_an_account_is_nobody(
    gcloud: Gcloud, without: list[str], script: str
) -> None:
    gcloud(script)
    with pytest.raises(DefaultCredentialsError, match="none are there"):
        find_credentials()


def test_without_gcloud_there_is_nobody(gcloud: Gcloud, without: list[str]) -> None:
    with pytest.raises(DefaultCredentialsError, match="none are there"):
        find_credentials()


@pytest.mark.parametrize("value", ["1", "true", "True", "yes"])
def test_a_shell_of_the_laptop_cloud_has_none_and_asks_nobody(
    monkeypatch: pytest.MonkeyPatch, gcloud: Gcloud, without: list[str], value: str
) -> None:
    gcloud("echo a-token")
    monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", value)
    with pytest.raises(DefaultCredentialsError, match="CLOUDSDK_AUTH_DISABLE_CREDENTIALS"):
        find_credentials()
    assert without == []


@pytest.mark.parametrize("value", ["", "0", "false"])
def test_any_other_value_disables_nothing(
    monkeypatch: pytest.MonkeyPatch, gcloud: Gcloud, without: list[str], value: str
) -> None:
    gcloud("echo a-token")
    monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", value)
    assert isinstance(find_credentials(), Credentials)


@pytest.mark.parametrize("account", [True, False], ids=["an account", "nobody"])
def test_many_threads_search_once(
    gcloud: Gcloud, without: list[str], tmp_path: Path, account: bool
) -> None:
    calls = tmp_path / "calls"
    gcloud(f"echo call >> {calls}; {'echo a-token' if account else 'exit 1'}")

    def find(_number: int) -> object:
        try:
            return find_credentials()
        except DefaultCredentialsError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(find, range(8)))

    assert len(without) == 1
    assert calls.read_text() == "call\n"
    assert len({id(one) if account else one for one in found}) == 1


def test_each_failure_is_an_exception_of_its_own(gcloud: Gcloud, without: list[str]) -> None:
    raised = []
    for _ in range(2):
        with pytest.raises(DefaultCredentialsError) as error:
            find_credentials()
        raised.append(error.value)
    assert raised[0] is not raised[1]
