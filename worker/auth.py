"""Is this push from our subscription? A check for each PUSH_AUTH mode raises Refused or returns.

`cloud-run-iam` checks nothing here: IAM did, before the container, and may have replaced the
token's signature with SIGNATURE_REMOVED_BY_GOOGLE. That is safe only on a service that requires
authentication.
"""

from collections.abc import Callable

from worker.config import PushAuth, Settings
from worker.message import Push
from worker.outcome import Refused

Authenticate = Callable[[Push], None]


def authenticator(settings: Settings) -> Authenticate:
    """The check that PUSH_AUTH asks for."""
    if settings.push_auth is not PushAuth.OIDC:
        return _trust
    from worker.certificates import CertificateStore  # noqa: PLC0415 - cryptography, only if used
    from worker.oidc import Verifier  # noqa: PLC0415

    verifier = Verifier(
        CertificateStore(settings.push_certs_url), settings.push_audience or "", settings.accounts
    )
    return lambda push: verifier.check(bearer_token(push))


def _trust(push: Push) -> None:
    """Somebody else decided who may connect."""


def bearer_token(push: Push) -> str:
    """The token of the one Authorization header. Raises Refused where there is not exactly one."""
    values = [value for name, value in push.headers if name == "authorization"]
    if len(values) != 1:
        raise Refused(f"{len(values)} Authorization headers, want one")
    scheme, _, token = values[0].partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("the Authorization header holds no bearer token")
    return token.strip()
