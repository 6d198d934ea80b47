"""May the push account call the service, and may Pub/Sub make its tokens?"""

from collections.abc import Iterator

from worker.deployment import Deployment, pubsub_agent
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.access import is_protected
from worker.doctor.live.commands import PROVISION, gcloud, grant_on_account, invoke
from worker.doctor.live.grants import INVOKE, MAKE_TOKENS, lacks
from worker.doctor.live.names import push_email
from worker.doctor.live.serving import serving_of
from worker.doctor.live.snapshot import Live, known, there
from worker.doctor.settings.access import DEFAULT_ACCOUNT

_DEFAULTS = ("-compute@developer.gserviceaccount.com", "@appspot.gserviceaccount.com")

MISSING = Check(
    "push-account-missing", Severity.ERROR,
    "the push account is there",
    "Pub/Sub cannot make a token for it: nothing is pushed.",
    PROVISION,
)  # fmt: skip
DISABLED = Check(
    "push-account-disabled", Severity.ERROR,
    "the push account is enabled",
    "Pub/Sub cannot make a token for it: nothing is pushed.",
    "gcloud iam service-accounts enable EMAIL",
)  # fmt: skip
CANNOT_INVOKE = Check(
    "cannot-invoke", Severity.ERROR,
    "the push account may call the service",
    "IAM answers every push 403, before the worker sees it.",
    PROVISION,
)  # fmt: skip
NO_TOKENS = Check(
    "no-token-creator", Severity.ERROR,
    "Pub/Sub's own account may make tokens for the push account",
    "Pub/Sub cannot make a token: pushes are refused, or not sent.",
    PROVISION,
)  # fmt: skip


def _missing(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if known(live.push_account) is None:
        email = push_email(live.subscription, deployment)
        yield found(MISSING, email, "there is no such account")


def _disabled(live: Live, deployment: Deployment) -> Iterator[Finding]:
    if there(live.push_account).get("disabled"):
        email = push_email(live.subscription, deployment)
        words = ("iam", "service-accounts", "enable", email, f"--project={deployment.project}")
        yield found(DISABLED, email, "the account is disabled", gcloud(*words))


def _cannot_invoke(live: Live, deployment: Deployment) -> Iterator[Finding]:
    email = push_email(live.subscription, deployment)
    policies = (there(live.service_policy), known(live.policy))
    if is_protected(live) and lacks(email, INVOKE, *policies):
        what = f"neither the service nor the project lets {email} call it"
        fix = invoke(deployment, "add", f"serviceAccount:{email}")
        yield found(CANNOT_INVOKE, deployment.service_name, what, fix)


def _no_tokens(live: Live, deployment: Deployment) -> Iterator[Finding]:
    email, agent = push_email(live.subscription, deployment), pubsub_agent(known(live.number))
    if lacks(agent, MAKE_TOKENS, there(live.push_account_policy), known(live.policy)):
        fix = grant_on_account(email, agent, MAKE_TOKENS[0])
        yield found(NO_TOKENS, email, f"{agent} has no such role on it", fix)


def _default_account(live: Live, deployment: Deployment) -> Iterator[Finding]:
    account = serving_of(live).account
    if not account or account.endswith(_DEFAULTS):
        email = deployment.email(deployment.runtime_account)
        words = ("run", "services", "update", deployment.service, f"--region={deployment.region}")
        fix = gcloud(*words, f"--project={deployment.project}", f"--service-account={email}")
        what = f"it runs as {account or 'the default account'}"
        yield found(DEFAULT_ACCOUNT, deployment.service_name, what, fix)


LOOKS = {
    MISSING: _missing,
    DISABLED: _disabled,
    CANNOT_INVOKE: _cannot_invoke,
    NO_TOKENS: _no_tokens,
    DEFAULT_ACCOUNT: _default_account,
}
