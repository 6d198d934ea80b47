"""Whose leave the tools use: this machine's application-default credentials, or else gcloud's."""

import functools
import subprocess
import threading

from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError
from google.oauth2.credentials import Credentials as AccessToken

from worker.rest import (
    CredentialsDisabled,
    application_default,
    credentials_disabled,
)

_TOKEN_SECONDS = 30.0  # that gcloud may take to print one
_SEARCHING = threading.Lock()  # threads that ask at once wait for one search


def find_credentials() -> Credentials:
    """The application-default credentials, or the token of gcloud's account, good for an hour.

    A shell that talks to the laptop cloud has switched them off, so that nothing of it reaches a
    real project. Raises DefaultCredentialsError where there are none.
    """
    if credentials_disabled():
        raise CredentialsDisabled
    with _SEARCHING:
        found = _search()
    if isinstance(found, DefaultCredentialsError):
        raise DefaultCredentialsError(*found.args)
    return found


@functools.cache
def _search() -> Credentials | DefaultCredentialsError:
    """What is found, or why nothing is: a search takes seconds, and dozens of calls want one."""
    try:
        return application_default()
    except DefaultCredentialsError as error:
        token = _token_of_gcloud()
        return AccessToken(token) if token else error


def _token_of_gcloud() -> str:
    """What `gcloud auth print-access-token` prints; "" without gcloud, or without an account."""
    try:
        done = subprocess.run(
            ["gcloud", "auth", "print-access-token", "--quiet"],  # noqa: S607 - the user's own gcloud
            capture_output=True, text=True, timeout=_TOKEN_SECONDS, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
