"""Does anybody answer at the endpoint, as seen from here?"""

from http.client import HTTPException
from urllib.error import URLError
from urllib.request import Request

from worker.client.deliver import Unreachable, check_url, opener_for
from worker.smoke.evidence import Reached

_SECONDS = 5.0


def probe(url: str) -> Reached:
    """A GET, which is no push and changes nothing. Any answer will do."""
    try:
        address = check_url(url, "the endpoint")
        ask = Request(address, headers={"user-agent": "feature-worker-smoke"})  # noqa: S310 - check_url let http and https through, nothing else
        with opener_for(address).open(ask, timeout=_SECONDS) as answer:
            return Reached(answer.status)
    except Unreachable as unusable:
        return Reached(0, str(unusable))
    except (OSError, HTTPException, ValueError) as error:
        return Reached(0, _cause(error))


def _cause(error: Exception) -> str:
    inner = error.reason if isinstance(error, URLError) else error
    if isinstance(inner, ConnectionRefusedError):
        return "nothing listens there"
    return str(getattr(inner, "strerror", None) or type(inner).__name__)
