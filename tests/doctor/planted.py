"""What can be wrong with a deployment: a way to plant each, and what doctor has to say then."""

from collections.abc import Callable
from dataclasses import dataclass

from tests.doctor.healthy import (
    AGENT,
    DATABASE,
    DEAD,
    DEAD_SUBSCRIPTION,
    NUMBER,
    PUSHER,
    QUARANTINE,
    QUARANTINE_SUBSCRIPTION,
    RUNTIME,
    SERVICE,
    SUBSCRIPTION,
    TOPIC,
    URI,
    Answers,
    keeping,
    policy,
    put,
    subscription,
)
from worker.doctor.live.questions import QUESTIONS
from worker.doctor.live.snapshot import Unread

BUCKET = "gs://demo-artifacts"
OTHER = "projects/demo-project/subscriptions/another"
EVENTARC = "projects/demo-project/subscriptions/eventarc-europe-west1-trigger-sub-001"
OLDER = f"{SERVICE}/revisions/feature-worker-00001-xyz"


@dataclass(frozen=True)
class Planted:
    """`plant` changes healthy answers; `what` is part of what is said, `fix` of what mends it."""

    check: str
    where: str
    what: str
    fix: str
    plant: Callable[[Answers], object]


def _push(found: Answers, **fields: object) -> None:
    found["subscription"]["pushConfig"].update(fields)


def _subscription(**fields: object) -> Callable[[Answers], object]:
    return lambda found: found["subscription"].update(fields)


def _without(*path: str) -> Callable[[Answers], object]:
    def remove(found: Answers) -> None:
        *way, last = path
        for name in way:
            found = found[name]
        del found[last]

    return remove


def _serving(**fields: object) -> Callable[[Answers], object]:
    return lambda found: found["serving"].update(fields)


def _limits(**limits: str) -> Callable[[Answers], object]:
    return lambda found: found["serving"]["containers"][0]["resources"]["limits"].update(limits)


def _environment(**environment: str | None) -> Callable[[Answers], object]:
    return lambda found: put(found, **environment)


def _public(found: Answers, member: str = "allUsers") -> None:
    found["service_policy"] = policy(run_invoker=PUSHER)
    found["service_policy"].resource["bindings"][0]["members"].append(member)


def _all(*plants: Callable[[Answers], object]) -> Callable[[Answers], object]:
    return lambda found: [plant(found) for plant in plants]


def _answer(**answers: object) -> Callable[[Answers], object]:
    return lambda found: found.update(answers)


def _keeper(number: int, **fields: object) -> Callable[[Answers], object]:
    return lambda found: found["subscriptions"][number].update(fields)


def _held_twice(found: Answers) -> None:
    found["subscriptions"].append(subscription() | {"name": OTHER})


def _eventarc(found: Answers, **fields: object) -> None:
    elsewhere = {"pushEndpoint": f"{URI}/"}
    found["subscriptions"].append(
        keeping(EVENTARC, "projects/demo-project/topics/eventarc-europe-west1-trigger")
        | {"pushConfig": elsewhere, "messageRetentionDuration": "86400s"}
        | fields
    )


def _canary(found: Answers) -> None:
    found["service"]["trafficStatuses"] = [
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "feature-worker-00001-xyz",
         "percent": 90},
        {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": "feature-worker-00002-abc",
         "percent": 10, "tag": "canary"},
    ]  # fmt: skip


def _not_ready(found: Answers) -> None:
    condition = {"type": "Ready", "state": "CONDITION_FAILED", "message": "The container\nfailed"}
    found["service"] |= {"latestReadyRevision": OLDER, "terminalCondition": condition}


def _default_account(found: Answers) -> None:
    """It may do all, as it usually does."""
    account = f"{NUMBER}-compute@developer.gserviceaccount.com"
    found["serving"]["serviceAccount"] = account
    found["policy"].resource["bindings"].append(
        {"role": "roles/editor", "members": [f"serviceAccount:{account}"]}
    )


_OIDC = {"PUSH_AUTH": "oidc", "PUSH_AUDIENCE": URI, "PUSH_SERVICE_ACCOUNT": PUSHER}
_TOKEN = {"serviceAccountEmail": PUSHER, "audience": URI}
_UPDATE = "gcloud run services update feature-worker --project=demo-project --region=europe-west1"
_CHANGE = "gcloud pubsub subscriptions update feature-worker --project=demo-project"
_WHOLE = (
    f"{_CHANGE} --push-endpoint={URI}/ --push-auth-service-account={PUSHER} "
    f"--push-auth-token-audience={URI}"
)
_DELETE = (
    "gcloud pubsub subscriptions delete feature-worker --project=demo-project && "
    "python -m worker provision --project=demo-project"
)
_PROVISION = "python -m worker provision --project=demo-project"
_SMOKE = "python -m worker smoke --project=demo-project"
_TAGGED = "https://canary---feature-worker-abc-ew.a.run.app"

PLANTED = [
    Planted("service-missing", SERVICE, "not there",
            "gcloud builds submit --config=cloudbuild.yaml",
            _answer(service=None, serving=None, service_policy=None)),
    Planted("revision-not-ready", SERVICE, "00002-abc is not ready: The container failed",
            'resource.labels.revision_name="feature-worker-00002-abc"', _not_ready),
    Planted("revision-not-ready", SERVICE, "Cloud Run does not say why", "gcloud logging read",
            lambda found: found["service"].update(latestReadyRevision=OLDER)),
    Planted("traffic-elsewhere", SERVICE, "00002-abc gets 10 %",
            "gcloud run services update-traffic feature-worker --to-latest", _canary),
    Planted("settings-invalid", SERVICE, "PUSH_AUTH is not set", "gcloud builds submit",
            _environment(PUSH_AUTH=None)),
    Planted("settings-invalid", SERVICE, "CLAIMS does not fit; mend",
            "gcloud builds submit",
            _environment(CLAIMS="redi://:hunter2@10.0.0.1/0")),
    Planted("variable-misspelt", SERVICE,
            "HANDLER_THREAD is no setting: did you mean HANDLER_THREADS",
            f"{_UPDATE} --remove-env-vars=HANDLER_THREAD", _environment(HANDLER_THREAD="4")),
    Planted("variable-misspelt", SERVICE, "did you mean CLAIMS",
            "--remove-env-vars=claims", _environment(claims="memory")),
    Planted("variable-unknown", SERVICE, "THUMBNAIL_BUCKET is no setting",
            "--remove-env-vars=THUMBNAIL_BUCKET", _environment(THUMBNAIL_BUCKET="hunter2")),
    Planted("talks-to-emulator", SERVICE, "PUBSUB_EMULATOR_HOST is set",
            "--remove-env-vars=PUBSUB_EMULATOR_HOST",
            _environment(PUBSUB_EMULATOR_HOST="127.0.0.1:8085")),
    Planted("talks-to-emulator", SERVICE, "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN is set",
            "--remove-env-vars=CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN",
            _environment(CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN="http://127.0.0.1:1/")),
    Planted("log-sink-api", SERVICE, "LOG_SINK is api", "LOG_SINK=stdout",
            _environment(LOG_SINK="api")),

    Planted("topic-missing", TOPIC, "not there", _PROVISION, _answer(topic=None)),
    Planted("subscription-missing", SUBSCRIPTION, "not there", _PROVISION,
            _answer(subscription=None, subscription_policy=None)),
    Planted("topic-wrong", SUBSCRIPTION, "its topic is _deleted-topic_", _DELETE,
            _subscription(topic="_deleted-topic_")),
    Planted("subscription-detached", SUBSCRIPTION, "detached", _DELETE,
            _subscription(detached=True)),
    Planted("subscription-expires", SUBSCRIPTION, "after 2678400s without",
            f"{_CHANGE} --expiration-period=never",
            _subscription(expirationPolicy={"ttl": "2678400s"})),
    Planted("subscription-expires", SUBSCRIPTION, "after 2678400s without", "never",
            _without("subscription", "expirationPolicy")),
    Planted("retention-short", SUBSCRIPTION, "keeps messages 600 s, deploy.toml says 7 days",
            f"{_CHANGE} --message-retention-duration=7d",
            _subscription(messageRetentionDuration="600s")),
    Planted("no-retry-policy", SUBSCRIPTION, "no retry policy",
            f"{_CHANGE} --min-retry-delay=10s --max-retry-delay=600s",
            _without("subscription", "retryPolicy")),
    Planted("exactly-once", SUBSCRIPTION, "switched on", "--no-enable-exactly-once-delivery",
            _subscription(enableExactlyOnceDelivery=True)),
    Planted("filter", SUBSCRIPTION, "has a filter", _DELETE,
            _subscription(filter='attributes.secret="hunter2"')),
    Planted("ordering", SUBSCRIPTION, "ordering is switched on", _DELETE,
            _subscription(enableMessageOrdering=True)),

    Planted("subscription-pulls", SUBSCRIPTION, "no push endpoint", _WHOLE,
            _subscription(pushConfig={})),
    Planted("endpoint-elsewhere", SUBSCRIPTION, "pushes to other-abc-ew.a.run.app", _WHOLE,
            lambda found: _push(found,
            pushEndpoint="https://other-abc-ew.a.run.app/?token=hunter2")),
    Planted("endpoint-elsewhere", SUBSCRIPTION, "pushes to the tag canary", _WHOLE,
            _all(lambda found: _push(found, pushEndpoint=f"{_TAGGED}/"),
                 lambda found: found["service"]["trafficStatuses"].append(
                     {"tag": "canary", "uri": _TAGGED}))),
    Planted("endpoint-custom", SUBSCRIPTION, "pushes to push.example.com", _SMOKE,
            lambda found: _push(found, pushEndpoint="https://push.example.com/")),
    Planted("endpoint-path", SUBSCRIPTION, "has a path", _WHOLE,
            lambda found: _push(found, pushEndpoint=f"{URI}/push")),
    Planted("address-switched-off", SERVICE, "switched off", "--default-url",
            lambda found: found["service"].update(defaultUriDisabled=True)),
    Planted("no-token", SUBSCRIPTION, "no oidcToken", _WHOLE, _without("subscription",
            "pushConfig", "oidcToken")),
    Planted("audience-wrong", SUBSCRIPTION, "audience is https://another.example", _WHOLE,
            lambda found: _push(found, oidcToken=_TOKEN | {"audience": "https://another.example"})),
    Planted("audience-wrong", SUBSCRIPTION, "PUSH_AUDIENCE is https://another.example",
            f"{_UPDATE} --update-env-vars=PUSH_AUDIENCE={URI}",
            _all(_environment(**_OIDC | {"PUSH_AUDIENCE": "https://another.example"}), _public)),
    Planted("audience-wrong", SUBSCRIPTION, f"its audience is {URI}/", f"=PUSH_AUDIENCE={URI}/",
            _all(_environment(**_OIDC), _public,
                 lambda found: _push(found, oidcToken={"serviceAccountEmail": PUSHER}))),
    Planted("token-account", SUBSCRIPTION, f"that of {PUSHER}",
            f"--update-env-vars=PUSH_SERVICE_ACCOUNT={PUSHER}",
            _all(_environment(**_OIDC | {"PUSH_SERVICE_ACCOUNT": "a@example.com"}), _public)),
    Planted("unwrapped-no-metadata", SUBSCRIPTION, "without wrapper", _WHOLE,
            lambda found: _push(found, noWrapper={})),

    Planted("push-account-missing", PUSHER, "no such account", _PROVISION,
            _answer(push_account=None, push_account_policy=None)),
    Planted("push-account-disabled", PUSHER, "disabled",
            f"gcloud iam service-accounts enable {PUSHER} --project=demo-project",
            lambda found: found["push_account"].update(disabled=True)),
    Planted("cannot-invoke", SERVICE, f"neither the service nor the project lets {PUSHER}",
            f"add-iam-policy-binding feature-worker --project=demo-project --region=europe-west1 "
            f"--member=serviceAccount:{PUSHER} --role=roles/run.invoker",
            _answer(service_policy=policy(run_viewer=PUSHER))),
    Planted("no-token-creator", PUSHER, f"{AGENT} has no such role",
            f"gcloud iam service-accounts add-iam-policy-binding {PUSHER} --project=demo-project",
            _answer(push_account_policy=policy(iam_serviceAccountUser=AGENT))),
    Planted("default-account", SERVICE, f"runs as {NUMBER}-compute@",
            f"--service-account={RUNTIME}",
            _default_account),
    Planted("default-account", SERVICE, "runs as the default account", "--service-account=",
            _without("serving", "serviceAccount")),

    Planted("public-trusts-iam", SERVICE, "allUsers may call it",
            "gcloud run services remove-iam-policy-binding feature-worker", _public),
    Planted("public-trusts-iam", SERVICE, "allAuthenticatedUsers may call it",
            "--member=allAuthenticatedUsers",
            lambda found: _public(found, "allAuthenticatedUsers")),
    Planted("public-trusts-iam", SERVICE, "IAM check is switched off",
            f"{_UPDATE} --invoker-iam-check",
            lambda found: found["service"].update(invokerIamDisabled=True)),
    Planted("public-trusts-iam", SERVICE, "the project's policy lets everybody call it",
            "gcloud projects remove-iam-policy-binding demo-project",
            lambda found: found["policy"].resource["bindings"].append(
                {"role": "roles/run.invoker", "members": ["allUsers"]})),
    Planted("nobody-checks", SERVICE, "allUsers may call it", "remove-iam-policy-binding",
            _all(_environment(PUSH_AUTH="none"), _public)),
    Planted("push-auth-none", SERVICE, "PUSH_AUTH is none", "PUSH_AUTH=cloud-run-iam",
            _environment(PUSH_AUTH="none")),
    Planted("signature-removed", SERVICE, "PUSH_AUTH is oidc", "PUSH_AUTH=cloud-run-iam",
            _environment(**_OIDC)),
    Planted("ingress-internal", SERVICE, "internal", f"{_UPDATE} --ingress=all",
            lambda found: found["service"].update(ingress="INGRESS_TRAFFIC_INTERNAL_ONLY")),

    Planted("ack-deadline-short", SUBSCRIPTION, "it is 10 s, and the worker believes in 60 s",
            f"{_CHANGE} --ack-deadline=60", _environment(ACK_DEADLINE_SECONDS="60")),
    Planted("ack-deadline-long", SERVICE, "gives 60 s, ACK_DEADLINE_SECONDS is 10",
            f"{_UPDATE} --update-env-vars=ACK_DEADLINE_SECONDS=60",
            _subscription(ackDeadlineSeconds=60)),
    Planted("timeout-short", SERVICE, "request timeout is 5 s, the ack deadline 10 s",
            f"{_UPDATE} --timeout=610", _serving(timeout="5s")),
    Planted("claims-forget-early", SUBSCRIPTION, "604800 s, and CLAIM_RETENTION_SECONDS is 60",
            "CLAIM_RETENTION_SECONDS=604800", _environment(CLAIM_RETENTION_SECONDS="60")),

    Planted("concurrency-high", SERVICE, "concurrency is 80, HANDLER_THREADS x WORKERS is 8",
            f"{_UPDATE} --concurrency=8", _without("serving", "maxInstanceRequestConcurrency")),
    Planted("concurrency-low", SERVICE, "concurrency is 4, HANDLER_THREADS x WORKERS is 8",
            f"{_UPDATE} --concurrency=8", _serving(maxInstanceRequestConcurrency=4)),
    Planted("memory-small", SERVICE, "has 256 MiB, and may need 340", f"{_UPDATE} --memory=340Mi",
            _limits(memory="256Mi")),
    Planted("cpu-throttled", SERVICE, "3 pushes overran", "--no-cpu-throttling",
            _answer(pushes={"ack": 10, "deadline_exceeded": 3})),

    Planted("claims-memory", SERVICE, "up to 10 instances of 1 processes",
            f"{_UPDATE} --update-env-vars=CLAIMS=firestore", _environment(CLAIMS="memory")),
    Planted("claims-memory", SERVICE, "up to 1 instances of 2 processes", "CLAIMS=firestore",
            _all(_environment(CLAIMS="memory", WORKERS="2", HANDLER_THREADS="4"),
                 _serving(scaling={"maxInstanceCount": 1}))),
    Planted("claims-memory", SERVICE, "up to 100 instances", "CLAIMS=firestore",
            _all(_environment(CLAIMS="memory"), _without("serving", "scaling"))),
    Planted("claims-database-missing", DATABASE, "not there",
            "gcloud firestore databases create '--database=(default)' --location=europe-west1",
            _answer(database=None, ttl=None)),
    Planted("claims-database-mode", DATABASE, "it is DATASTORE_MODE",
            "CLAIMS=firestore:claims",
            lambda found: found["database"].update(type="DATASTORE_MODE")),
    Planted("claims-not-writable", DATABASE, f"{RUNTIME} has no such role",
            "gcloud projects add-iam-policy-binding demo-project "
            f"--member=serviceAccount:{RUNTIME} --role=roles/datastore.user",
            _answer(policy=policy(datastore_viewer=RUNTIME))),
    Planted("claims-no-ttl", DATABASE, "no TTL policy on expires_at",
            "--collection-group=feature-worker-claims '--database=(default)'",
            _answer(ttl={"indexConfig": {"usesAncestorConfig": True}})),

    Planted("artifacts-folder", SERVICE, "ARTIFACTS is a folder",
            f"{_UPDATE} --update-env-vars=ARTIFACTS=gs://demo-artifacts/features",
            _environment(ARTIFACTS="folder:/tmp/artifacts")),
    Planted("builds-nowhere", SERVICE, "UNKNOWN_FEATURE is build, and ARTIFACTS none",
            f"{_UPDATE} --update-env-vars=ARTIFACTS=gs://demo-artifacts/features",
            _environment(ARTIFACTS="none", UNKNOWN_FEATURE="build")),
    Planted("artifacts-bucket-missing", BUCKET, "ARTIFACTS names it, and it is not there",
            "gcloud storage buckets create gs://demo-artifacts --location=europe-west1 "
            "--project=demo-project --uniform-bucket-level-access --public-access-prevention",
            _answer(bucket=None, bucket_policy=None)),
    Planted("artifacts-not-writable", BUCKET, f"{RUNTIME} has no such role",
            "gcloud storage buckets add-iam-policy-binding gs://demo-artifacts "
            f"--member=serviceAccount:{RUNTIME} --role=roles/storage.objectUser",
            _answer(bucket_policy=policy(storage_objectViewer=RUNTIME))),
    Planted("artifacts-may-be-public", BUCKET, "no public access prevention of its own",
            "gcloud storage buckets update gs://demo-artifacts --public-access-prevention",
            lambda found: found["bucket"]["iamConfiguration"].update(
                publicAccessPrevention="inherited")),

    Planted("no-dead-letter-policy", SUBSCRIPTION, "it has none",
            f"{_CHANGE} --dead-letter-topic={DEAD} --max-delivery-attempts=20",
            lambda found: (found["subscription"].pop("deadLetterPolicy"),
                           found.update(dead_letter_topic=None, dead_letter_policy=None))),
    Planted("dead-letter-topic-missing", DEAD, "the dead-letter policy names it", _PROVISION,
            _answer(dead_letter_topic=None, dead_letter_policy=None)),
    Planted("dead-letter-topic-missing", "_deleted-topic_", "not there", _PROVISION,
            lambda found: (found["subscription"].update(
                deadLetterPolicy={"deadLetterTopic": "_deleted-topic_", "maxDeliveryAttempts": 20}),
                found.update(dead_letter_topic=None, dead_letter_policy=None))),
    Planted("dead-letter-cannot-publish", DEAD, f"{AGENT} has no such role",
            "gcloud pubsub topics add-iam-policy-binding feature-worker-dead",
            _answer(dead_letter_policy=policy(pubsub_viewer=AGENT))),
    Planted("dead-letter-cannot-ack", SUBSCRIPTION, f"{AGENT} has no such role",
            "gcloud pubsub subscriptions add-iam-policy-binding feature-worker",
            _answer(subscription_policy=policy(pubsub_viewer=AGENT))),
    Planted("dead-letter-unread", DEAD, "no subscription of this project",
            f"gcloud pubsub subscriptions create feature-worker-dead --topic={DEAD}",
            lambda found: found["subscriptions"].pop(1)),
    Planted("dead-letter-expires", DEAD_SUBSCRIPTION, "expires after 86400s",
            "gcloud pubsub subscriptions update feature-worker-dead --project=demo-project "
            "--expiration-period=never", _keeper(1, expirationPolicy={"ttl": "86400s"})),
    Planted("dead-letter-retention-short", DEAD_SUBSCRIPTION, "keeps messages 600 s",
            "--message-retention-duration=31d", _keeper(1, messageRetentionDuration="600s")),
    Planted("attempts-few", SUBSCRIPTION, "it has 5", f"{_CHANGE} --max-delivery-attempts=20",
            _subscription(deadLetterPolicy={"deadLetterTopic": DEAD})),
    Planted("dead-letters-waiting", DEAD_SUBSCRIPTION, "4 messages wait",
            f"python -m worker quarantine list --from {DEAD_SUBSCRIPTION}",
            _answer(held={DEAD_SUBSCRIPTION: 4})),

    Planted("quarantine-none", SERVICE, "QUARANTINE is none", f"QUARANTINE=topic:{QUARANTINE}",
            _environment(QUARANTINE=None)),
    Planted("quarantine-folder", SERVICE, "QUARANTINE is a folder",
            f"QUARANTINE=topic:{QUARANTINE}",
            _environment(QUARANTINE="folder:/tmp/q")),
    Planted("quarantine-topic-missing", QUARANTINE, "QUARANTINE names it", _PROVISION,
            _answer(quarantine_topic=None, quarantine_policy=None)),
    Planted("quarantine-not-writable", QUARANTINE, f"{RUNTIME} has no such role",
            "gcloud pubsub topics add-iam-policy-binding feature-worker-quarantine",
            _answer(quarantine_policy=policy(pubsub_publisher=PUSHER))),
    Planted("quarantine-unread", QUARANTINE, "no subscription of this project",
            f"gcloud pubsub subscriptions create feature-worker-quarantine --topic={QUARANTINE}",
            lambda found: found["subscriptions"].pop(2)),
    Planted("quarantine-expires", QUARANTINE_SUBSCRIPTION, "expires after 2678400s",
            "--expiration-period=never",
            lambda found: found["subscriptions"][2].pop("expirationPolicy")),
    Planted("quarantine-retention-short", QUARANTINE_SUBSCRIPTION, "keeps messages 600 s",
            "--message-retention-duration=31d", _keeper(2, messageRetentionDuration="600s")),
    Planted("quarantine-waiting", QUARANTINE_SUBSCRIPTION, "2 messages wait",
            f"python -m worker quarantine list --from {QUARANTINE_SUBSCRIPTION}",
            _answer(held={QUARANTINE_SUBSCRIPTION: 2})),

    Planted("handled-twice", OTHER, f"the same service as {SUBSCRIPTION}",
            "gcloud pubsub subscriptions delete another --project=demo-project", _held_twice),
    Planted("eventarc-subscription", EVENTARC,
            "has no retry policy, no dead-letter policy, a retention of a day",
            f"--dead-letter-topic={DEAD} --max-delivery-attempts=20", _eventarc),
    Planted("eventarc-subscription", EVENTARC, "it has a retention of a day", "-duration=7d",
            lambda found: _eventarc(
                found, topic=TOPIC, pushConfig={}, retryPolicy={"minimumBackoff": "10s"},
                deadLetterPolicy={"deadLetterTopic": DEAD})),

    Planted("api-disabled", "projects/demo-project", "firestore.googleapis.com is off",
            "gcloud services enable firestore.googleapis.com --project=demo-project",
            lambda found: found.update(enabled=found["enabled"] - {"firestore.googleapis.com"})),
    Planted("api-disabled", "projects/demo-project", "storage.googleapis.com is off",
            "gcloud services enable storage.googleapis.com --project=demo-project",
            lambda found: found.update(enabled=found["enabled"] - {"storage.googleapis.com"})),
    Planted("alerts-missing", "projects/demo-project", "none of this worker", _PROVISION,
            _answer(alerts=[])),
    Planted("alerts-tell-nobody", "projects/demo-project", "no policy has a channel", _PROVISION,
            lambda found: found["alerts"][0].pop("notificationChannels")),
    Planted("alerts-off", "projects/demo-project/alertPolicies/1", "crashes is off", _PROVISION,
            lambda found: found["alerts"][0].update(enabled=False)),
    Planted("messages-wait", SUBSCRIPTION, "waits since 700 s", _SMOKE,
            _answer(oldest_seconds=700.0)),
    Planted("pushes-fail", SUBSCRIPTION, "1 were acked, the others: 3 remote_server_4xx",
            _SMOKE, _answer(pushes={"ack": 1, "remote_server_4xx": 3})),

    Planted("not-readable", "projects/demo-project", "it takes run.services.getIamPolicy",
            "--member=user:YOUR_EMAIL --role=roles/iam.securityReviewer",
            _answer(service_policy=Unread(QUESTIONS["service_policy"], "answered 403: no", 403))),
    Planted("not-readable", "projects/demo-project", "it takes monitoring.timeSeries.list",
            "gcloud services enable monitoring.googleapis.com --project=demo-project",
            _answer(pushes=Unread(QUESTIONS["pushes"], "answered 403: it is disabled", 403))),
    Planted("not-readable", "projects/demo-project", "answered 503: later",
            "python -m worker doctor --project=demo-project",
            _answer(topic=Unread(QUESTIONS["topic"], "answered 503: later", 503))),
    Planted("not-readable", "projects/demo-project", "cannot be used: no credentials",
            "gcloud auth application-default login",
            _answer(topic=Unread(QUESTIONS["topic"], "cannot be used: no credentials", 0))),
]  # fmt: skip
