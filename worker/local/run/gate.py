"""Cloud Run's front end asks IAM before a request reaches the worker.

Sources: Cloud Run, authentication; Troubleshoot Cloud Run, 401 and 403.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from worker.local.run.policy import ServicePolicy

_MORE = " Read more at https://cloud.google.com/run/docs/securing/authenticating"
_NO_TOKEN = (
    "The request was not authenticated. Either allow unauthenticated invocations or set the proper"
    f" Authorization header.{_MORE}"
)
_WRONG_TOKEN = (
    f"The request was not authorized to invoke this service.{_MORE} Additional troubleshooting"
    " documentation can be found at: https://cloud.google.com/run/docs/troubleshooting#401"
)


class Refusal(NamedTuple):
    """What the caller gets in place of the worker's answer; `text` is in the request log, too."""

    status: int
    text: str


class Gate:
    """Who comes in to the service. `url` is where it listens now, "" nowhere.

    `audiences` are those that tokens may have besides the service's own address.
    """

    def __init__(
        self, policy: ServicePolicy, url: Callable[[], str], audiences: Sequence[str]
    ) -> None:
        self._policy = policy
        self._url = url
        self._audiences = frozenset(audiences)

    def refuses(self, endpoint: str, account: str, audience: str) -> Refusal | None:
        """Why a push of that service account is not let in: no token is "". None: it is.

        The token itself is Pub/Sub's own and good; its audience may be another service's.
        """
        if self._policy.lets_everybody_in() or origin(endpoint) != origin(self._url()):
            return None
        if not account:
            return Refusal(403, _NO_TOKEN)
        if audience not in self._audiences and origin(audience) != origin(endpoint):
            return Refusal(401, _WRONG_TOKEN)
        return None if self._policy.lets_in(account) else Refusal(403, _NO_TOKEN)


@lru_cache(maxsize=1000)
def origin(url: str) -> str:
    """SCHEME://HOST:PORT of an address; "" of what is none."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
