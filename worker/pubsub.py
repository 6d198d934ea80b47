"""Publish to Pub/Sub over REST, without grpc; to the emulator when PUBSUB_EMULATOR_HOST is set."""

import base64
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import google.auth
import google.auth.exceptions
import requests
from google.auth.transport.requests import AuthorizedSession

_SERVICE = "https://pubsub.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/pubsub"
_TIMEOUT_SECONDS = 5.0


class PublishFailed(Exception):
    """Pub/Sub did not confirm the message. Says why and what to do, without the message."""


@dataclass(frozen=True, slots=True)
class PubsubMessage:
    """What a publisher sends."""

    data: bytes
    attributes: Mapping[str, str] = field(default_factory=dict)
    ordering_key: str = ""


class Publisher:
    """Publishes single messages and waits for Pub/Sub's confirmation. Safe to share by threads."""

    def __init__(self) -> None:
        self._sessions = threading.local()

    def publish(self, topic: str, message: PubsubMessage) -> str:
        """Publish to `projects/P/topics/T` and return the message id. Raises PublishFailed."""
        body: dict[str, Any] = {
            "data": base64.b64encode(message.data).decode("ascii"),
            "attributes": dict(message.attributes),
        }
        if message.ordering_key:
            body["orderingKey"] = message.ordering_key
        try:
            url = f"{endpoint()}/v1/{topic}:publish"
            answer = self._session().post(url, json={"messages": [body]}, timeout=_TIMEOUT_SECONDS)
            if answer.ok:
                return str(answer.json()["messageIds"][0])
        except (requests.RequestException, google.auth.exceptions.GoogleAuthError) as error:
            raise PublishFailed(f"{endpoint()} cannot be used: {_cause(error)}") from error
        except (LookupError, TypeError):
            raise PublishFailed(f"{endpoint()} answered without a message id") from None
        raise PublishFailed(_refusal(answer))

    def _session(self) -> requests.Session:
        """One session per thread: requests does not promise that sessions can be shared."""
        if not hasattr(self._sessions, "session"):
            self._sessions.session = _connect()
        session: requests.Session = self._sessions.session
        return session


def endpoint() -> str:
    """The service's address, or the emulator's when PUBSUB_EMULATOR_HOST is set."""
    emulator = os.environ.get("PUBSUB_EMULATOR_HOST", "")
    return f"http://{emulator}" if emulator else _SERVICE


def _connect() -> requests.Session:
    if endpoint() != _SERVICE:
        return requests.Session()
    credentials, _ = google.auth.default(scopes=[_SCOPE])
    return AuthorizedSession(credentials)


def _refusal(answer: requests.Response) -> str:
    try:
        said = str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        said = answer.reason
    return f"Pub/Sub answered {answer.status_code}: {said}"


def _cause(error: Exception) -> str:
    if isinstance(error, google.auth.exceptions.DefaultCredentialsError):
        return "no credentials (run `gcloud auth application-default login`)"
    return type(error).__name__
