"""Does the subscription push to the service, with a token that is accepted there?"""

from collections.abc import Iterator

from worker.config import PushAuth
from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.access import is_protected
from worker.doctor.live.commands import PROVISION, beta_change_service, push_to, set_variable
from worker.doctor.live.names import host_of, path_of, push_email, service_hosts
from worker.doctor.live.serving import settings_of
from worker.doctor.live.snapshot import Json, Live, there

_OF_CLOUD_RUN = ".run.app"

PULLS = Check(
    "subscription-pulls", Severity.ERROR,
    "the subscription pushes",
    "Messages wait in the subscription: nobody pushes them to the service.",
    PROVISION,
)  # fmt: skip
ELSEWHERE = Check(
    "endpoint-elsewhere", Severity.ERROR,
    "the push endpoint is the service's address",
    "Messages go to another service, to a revision of their own, or nowhere.",
    PROVISION,
)  # fmt: skip
CUSTOM = Check(
    "endpoint-custom", Severity.NOTE,
    "the push endpoint is an address that Cloud Run knows",
    "Nobody can see here whether the address leads to the service; smoke can.",
    "python -m worker smoke",
)  # fmt: skip
PATH = Check(
    "endpoint-path", Severity.ERROR,
    "the push endpoint has no path but /",
    "The worker takes pushes at / alone: each is answered 404 and comes again.",
    PROVISION,
)  # fmt: skip
URI_OFF = Check(
    "address-switched-off", Severity.ERROR,
    "the service answers at its run.app address, where that is the push endpoint",
    "Pushes to an address that is switched off are answered 404 and come again.",
    "gcloud beta run services update SERVICE --default-url",
)  # fmt: skip
NO_TOKEN = Check(
    "no-token", Severity.ERROR,
    "pushes carry a token",
    "Every push is refused: 403 by IAM, or 401 by the worker.",
    PROVISION,
)  # fmt: skip
AUDIENCE = Check(
    "audience-wrong", Severity.ERROR,
    "the token's audience is the one that is asked for",
    "Every push is refused: 403 by IAM, or 401 by the worker.",
    PROVISION,
)  # fmt: skip
ACCOUNT = Check(
    "token-account", Severity.ERROR,
    "the token's account is one of PUSH_SERVICE_ACCOUNT, with PUSH_AUTH=oidc",
    "Every push is refused: 401 by the worker.",
    "gcloud run services update SERVICE --update-env-vars=PUSH_SERVICE_ACCOUNT=EMAIL",
)  # fmt: skip
NO_METADATA = Check(
    "unwrapped-no-metadata", Severity.WARNING,
    "unwrapped pushes carry their metadata",
    "Messages have no id: two with the same data count as one, and attributes are lost.",
    PROVISION,
)  # fmt: skip


def _pulls(live: Live, deployment: Deployment) -> Iterator[Finding]:
    there(live.service)
    if not _push(live).get("pushEndpoint"):
        yield _here(PULLS, live, deployment, "it has no push endpoint")


def _elsewhere(live: Live, deployment: Deployment) -> Iterator[Finding]:
    host = host_of(_endpoint(live))
    if host in service_hosts(there(live.service)) or not host.endswith(_OF_CLOUD_RUN):
        return
    tags = [one.get("tag") for one in _traffic(live) if host_of(one.get("uri")) == host]
    what = f"it pushes to the tag {tags[0]}" if tags else f"it pushes to {host}"
    yield _here(ELSEWHERE, live, deployment, what)


def _custom(live: Live, deployment: Deployment) -> Iterator[Finding]:
    host = host_of(_endpoint(live))
    if host and host not in service_hosts(there(live.service)) and not host.endswith(_OF_CLOUD_RUN):
        where = deployment.subscription_name(deployment.subscription)
        yield found(CUSTOM, where, f"it pushes to {host}")


def _path(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if path_of(_endpoint(live)).strip("/"):
        yield _here(PATH, live, deployment, "its endpoint has a path")


def _uri_off(live: Live, deployment: Deployment) -> Iterator[Finding]:
    switched_off = there(live.service).get("defaultUriDisabled")
    if switched_off and host_of(_endpoint(live)).endswith(_OF_CLOUD_RUN):
        fix = beta_change_service(deployment, "--default-url")
        yield found(URI_OFF, deployment.service_name, "its run.app address is switched off", fix)


def _no_token(live: Live, deployment: Deployment) -> Iterator[Finding]:
    checked = settings_of(live, deployment).push_auth == PushAuth.OIDC or is_protected(live)
    if _endpoint(live) and checked and not _token(live):
        yield _here(NO_TOKEN, live, deployment, "its push configuration has no oidcToken")


def _audience(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if not _token(live):
        return
    settings = settings_of(live, deployment)
    audience = _token(live).get("audience") or _endpoint(live)
    if settings.push_auth == PushAuth.OIDC:
        if audience != settings.push_audience:
            fix = set_variable(deployment, "PUSH_AUDIENCE", audience)
            what = f"{_shown(audience)}, PUSH_AUDIENCE is {settings.push_audience}"
            yield _here(AUDIENCE, live, deployment, what, fix if "?" not in audience else None)
    elif is_protected(live) and not _is_accepted(audience, live):
        yield _here(AUDIENCE, live, deployment, _shown(audience))


def _shown(audience: str) -> str:
    """What follows a question mark may be a secret of the endpoint, which is the default."""
    return f"its audience is {audience.partition('?')[0]}"


def _is_accepted(audience: str, live: Live) -> bool:
    """Whether IAM takes it: one of the service's addresses, or of its custom audiences."""
    custom = there(live.service).get("customAudiences", [])
    return audience in custom or host_of(audience) in service_hosts(there(live.service))


def _account(live: Live, deployment: Deployment) -> Iterator[Finding]:
    settings = settings_of(live, deployment)
    email = _token(live).get("serviceAccountEmail", "")
    if email and settings.push_auth == PushAuth.OIDC and email not in settings.accounts:
        fix = set_variable(deployment, "PUSH_SERVICE_ACCOUNT", email)
        what = f"its token is that of {email}, which PUSH_SERVICE_ACCOUNT does not name"
        yield _here(ACCOUNT, live, deployment, what, fix)


def _no_metadata(live: Live, deployment: Deployment) -> Iterator[Finding]:
    push = _push(live)
    if "noWrapper" in push and not push["noWrapper"].get("writeMetadata"):
        yield _here(NO_METADATA, live, deployment, "it pushes without wrapper and metadata")


def _here(
    check: Check, live: Live, deployment: Deployment, what: str, fix: str | None = None
) -> Finding:
    """A finding of the subscription; the fix sets the push configuration, whole."""
    name = deployment.subscription_name(deployment.subscription)
    uri = str(there(live.service).get("uri", "")).rstrip("/")
    whole = push_to(name, uri, push_email(live.subscription, deployment)) if uri else None
    return found(check, name, what, fix or whole)


def _push(live: Live) -> Json:
    push: Json = there(live.subscription).get("pushConfig", {})
    return push


def _endpoint(live: Live) -> str:
    return str(_push(live).get("pushEndpoint", ""))


def _token(live: Live) -> Json:
    token: Json = _push(live).get("oidcToken", {})
    return token


def _traffic(live: Live) -> list[Json]:
    traffic: list[Json] = there(live.service).get("trafficStatuses", [])
    return traffic


LOOKS = {
    PULLS: _pulls,
    ELSEWHERE: _elsewhere,
    CUSTOM: _custom,
    PATH: _path,
    URI_OFF: _uri_off,
    NO_TOKEN: _no_token,
    AUDIENCE: _audience,
    ACCOUNT: _account,
    NO_METADATA: _no_metadata,
}
