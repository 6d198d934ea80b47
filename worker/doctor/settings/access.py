"""Who may push to the deployed worker, and who checks it?"""

from collections.abc import Iterator

from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.settings.deployed import Deployed

MISSING = Check(
    "push-auth-missing",
    Severity.ERROR,
    "PUSH_AUTH is set on Cloud Run",
    "The worker does not start: on Cloud Run it wants to know who checks the sender.",
    "set PUSH_AUTH=cloud-run-iam, and deploy with --no-allow-unauthenticated",
)
NOBODY = Check(
    "nobody-checks",
    Severity.ERROR,
    "a public service checks who pushes",
    "Whoever can reach the service can have handlers run with data of their own.",
    "set PUSH_AUTH=cloud-run-iam, and deploy with --no-allow-unauthenticated",
)
TRUSTS_PUBLIC = Check(
    "public-trusts-iam",
    Severity.ERROR,
    "a worker that relies on IAM is not public",
    "IAM lets everybody in, and the worker relies on IAM: anybody can push.",
    "deploy with --no-allow-unauthenticated, or set PUSH_AUTH=oidc with PUSH_AUDIENCE "
    "and PUSH_SERVICE_ACCOUNT",
)
SIGNATURE_REMOVED = Check(
    "signature-removed",
    Severity.WARNING,
    "a worker that verifies tokens gets them with their signatures",
    "Cloud Run's IAM check may replace the token's signature by SIGNATURE_REMOVED_BY_GOOGLE: "
    "the worker refuses each push to which it did.",
    "set PUSH_AUTH=cloud-run-iam, or deploy with --allow-unauthenticated",
)
UNSAID = Check(
    "push-auth-access-unsaid",
    Severity.WARNING,
    "the deployment says whether the service is public",
    "It stays as it was, or gcloud asks; PUSH_AUTH is right for one of both only.",
    "add --no-allow-unauthenticated (for PUSH_AUTH=cloud-run-iam), or --allow-unauthenticated "
    "(for PUSH_AUTH=oidc)",
)
DEFAULT_ACCOUNT = Check(
    "default-account",
    Severity.WARNING,
    "the worker runs as an account of its own",
    "It runs as the project's default account, which often may change everything.",
    "add --service-account with an account that may publish to the quarantine and use the claims",
)
NONE = Check(
    "push-auth-none",
    Severity.WARNING,
    "PUSH_AUTH says who checks the sender",
    "IAM checks it now; when the service is made public, nobody does.",
    "set PUSH_AUTH=cloud-run-iam",
)
CHECKS = (MISSING, NOBODY, NONE, TRUSTS_PUBLIC, SIGNATURE_REMOVED, UNSAID, DEFAULT_ACCOUNT)


def examine(deployed: Deployed) -> Iterator[Finding]:
    """Where PUSH_AUTH and the service's access do not fit."""
    where, public = deployed.where, deployed.public
    auth = deployed.variable("PUSH_AUTH")
    if auth == "":
        yield found(MISSING, where, "PUSH_AUTH is not set")
    if auth == "none":
        check = NONE if public is False else NOBODY
        yield found(check, where, "PUSH_AUTH is none")
    if auth == "cloud-run-iam" and public:
        yield found(TRUSTS_PUBLIC, where, "PUSH_AUTH=cloud-run-iam with --allow-unauthenticated")
    if auth == "oidc" and public is False:
        yield found(SIGNATURE_REMOVED, where, "PUSH_AUTH=oidc with --no-allow-unauthenticated")
    if public is None:
        what = "neither --allow-unauthenticated nor --no-allow-unauthenticated is there"
        yield found(UNSAID, where, what)
    if not deployed.says("service-account"):
        yield found(DEFAULT_ACCOUNT, where, "no --service-account is there")
