"""Each live check on a healthy project and on one where its fault is planted."""

import copy

import pytest

from tests.doctor.healthy import (
    AGENT,
    DEPLOYMENT,
    PUSHER,
    QUARANTINE,
    RUNTIME,
    SUBSCRIPTION,
    URI,
    Answers,
    answers,
    keeping,
    live,
    policy,
    put,
)
from tests.doctor.planted import PLANTED, Planted
from worker.doctor.finding import Finding, Severity
from worker.doctor.live import CHECKS, judge
from worker.doctor.live.questions import QUESTIONS
from worker.doctor.live.snapshot import Live, Unread


def judged(found: Answers) -> list[Finding]:
    return judge(Live(**found), DEPLOYMENT)


def checks_of(found: Answers) -> list[str]:
    return [one.check for one in judged(found)]


def test_nothing_is_wrong_with_a_healthy_deployment() -> None:
    assert judged(answers()) == []


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: f"{one.check}: {one.what}")
def test_what_is_planted_is_found_and_nothing_else(planted: Planted) -> None:
    found = answers()
    planted.plant(found)

    (finding,) = judged(found)

    check = next(one for one in CHECKS if one.name == finding.check)
    assert finding.check == planted.check
    assert finding.where == planted.where
    assert planted.what in finding.what
    assert planted.fix in finding.fix
    assert (finding.severity, finding.why) == (check.severity, check.why)


def test_every_check_has_a_fault_that_is_planted() -> None:
    assert {one.name for one in CHECKS} == {one.check for one in PLANTED}
    assert len({one.name for one in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: f"{one.check}: {one.what}")
def test_what_is_said_is_one_line_without_secrets(planted: Planted) -> None:
    found = answers()
    planted.plant(found)

    for finding in judged(found):
        texts = (finding.where, finding.what, finding.why, finding.fix)
        assert all(text and "\n" not in text for text in texts)
        assert "hunter2" not in "".join(texts)


@pytest.mark.parametrize("check", CHECKS, ids=lambda one: one.name)
def test_a_check_says_what_it_asks_why_and_what_mends_it(check: object) -> None:
    texts = [getattr(check, name) for name in ("title", "why", "fix")]
    assert all(text and text == " ".join(text.split()) for text in texts)
    assert not texts[0].endswith(".")
    assert texts[1].endswith(".")


@pytest.mark.parametrize("field", sorted(QUESTIONS))
def test_what_cannot_be_read_is_one_note_and_its_checks_are_skipped(field: str) -> None:
    found = answers() | {field: Unread(QUESTIONS[field], "Google answered 403: denied", 403)}

    (finding,) = judged(found)

    assert (finding.check, finding.severity) == ("not-readable", Severity.NOTE)
    assert QUESTIONS[field].permission in finding.what


def test_in_a_shell_of_the_laptop_cloud_nobody_is_sent_to_log_in() -> None:
    reason = "this shell talks to a stand-in (CLOUDSDK_AUTH_DISABLE_CREDENTIALS is set)"
    (finding,) = judged(answers() | {"number": Unread(QUESTIONS["number"], reason, 0)})
    assert finding.fix == "ask from a shell without CLOUDSDK_AUTH_DISABLE_CREDENTIALS"


def test_nothing_but_notes_is_said_when_nothing_can_be_read() -> None:
    found = {
        field: Unread(question, "Google answered 403: denied", 403)
        for field, question in QUESTIONS.items()
    }
    assert {one.check for one in judged(found)} == {"not-readable"}


def test_the_questions_are_the_fields_of_what_is_known() -> None:
    assert set(QUESTIONS) == set(answers())


def test_before_anything_was_made_the_missing_parts_are_all_that_is_wrong() -> None:
    nothing: Answers = dict.fromkeys(answers())
    nothing |= {"number": "1", "policy": policy(), "subscriptions": [], "alerts": []}
    nothing |= {"enabled": answers()["enabled"], "held": {}, "oldest_seconds": 0.0, "pushes": {}}

    assert sorted(checks_of(nothing)) == [
        "alerts-missing",
        "push-account-missing",
        "service-missing",
        "subscription-missing",
        "topic-missing",
    ]


def test_before_the_first_build_the_subscription_may_wait_without_an_endpoint() -> None:
    found = answers() | {"service": None, "serving": None, "service_policy": None}
    found["subscription"]["pushConfig"] = {}
    assert checks_of(found) == ["service-missing"]


@pytest.mark.parametrize(
    "binding",
    [
        {"role": "roles/run.invoker", "members": ["group:pushers@example.com"]},
        {"role": "projects/demo-project/roles/pusher", "members": [f"serviceAccount:{PUSHER}"]},
        {
            "role": "roles/run.invoker",
            "members": [f"serviceAccount:{PUSHER}"],
            "condition": {"expression": "true"},
        },
        {"role": "roles/run.admin", "members": [f"serviceAccount:{PUSHER}"]},
    ],
    ids=["a group", "a custom role", "a condition", "another role"],
)
def test_what_may_grant_the_role_counts_as_granted(binding: Answers) -> None:
    found = answers()
    found["service_policy"].resource["bindings"] = [binding]
    assert checks_of(found) == []

    found["service_policy"].resource["bindings"] = []
    found["policy"].resource["bindings"].append(binding)
    assert checks_of(found) == []


def test_the_role_of_pubsubs_own_agent_is_enough_to_make_tokens() -> None:
    found = answers() | {"push_account_policy": policy()}
    found["policy"] = policy(datastore_user=DEPLOYMENT.email("feature-worker"))
    assert checks_of(found) == ["no-token-creator"]

    agents = {"role": "roles/pubsub.serviceAgent", "members": [f"serviceAccount:{AGENT}"]}
    found["policy"].resource["bindings"].append(agents)
    assert checks_of(found) == []


def test_a_conditional_grant_to_everybody_makes_no_service_public() -> None:
    found = answers()
    found["service_policy"].resource["bindings"].append(
        {"role": "roles/run.invoker", "members": ["allUsers"], "condition": {"expression": "x"}}
    )
    assert checks_of(found) == []


def test_a_public_service_that_checks_tokens_is_healthy() -> None:
    found = answers()
    put(found, PUSH_AUTH="oidc", PUSH_AUDIENCE=URI, PUSH_SERVICE_ACCOUNT=f"a@b.c,{PUSHER}")
    found["service"]["invokerIamDisabled"] = True
    assert checks_of(found) == []

    found["service_policy"] = policy()
    assert checks_of(found) == []


@pytest.mark.parametrize(
    "audience",
    ["", URI, f"{URI}/", "https://feature-worker-123456789.europe-west1.run.app", "custom"],
)
def test_iam_takes_the_services_addresses_and_custom_audiences(audience: str) -> None:
    found = answers()
    found["service"]["customAudiences"] = ["custom"]
    found["subscription"]["pushConfig"]["oidcToken"]["audience"] = audience
    assert checks_of(found) == []


def test_the_deterministic_address_is_one_of_the_services_own() -> None:
    found = answers()
    endpoint = "https://feature-worker-123456789.europe-west1.run.app/"
    found["subscription"]["pushConfig"]["pushEndpoint"] = endpoint
    assert checks_of(found) == []


def test_claims_in_memory_are_enough_for_one_process() -> None:
    found = answers()
    put(found, CLAIMS="memory")
    found["service"]["scaling"] = {"maxInstanceCount": 1}
    assert checks_of(found) == []


def test_a_worker_that_keeps_no_files_wants_no_bucket() -> None:
    found = answers() | {"bucket": None, "bucket_policy": None}
    found["enabled"] -= {"storage.googleapis.com"}
    put(found, ARTIFACTS=None)
    assert judged(found) == []


def test_an_image_and_a_place_are_all_that_a_worker_needs_to_build_features() -> None:
    found = answers()
    put(found, UNKNOWN_FEATURE="build")
    assert judged(found) == []


def test_whoever_may_do_all_to_a_bucket_of_the_project_may_write_to_it() -> None:
    found = answers()
    found["bucket_policy"] = policy()
    found["policy"].resource["bindings"] += policy(storage_admin=RUNTIME).resource["bindings"]
    assert judged(found) == []


def test_claims_in_redis_want_no_database_and_their_secret_address_is_not_needed() -> None:
    found = answers() | {"database": None, "ttl": None}
    put(found, CLAIMS=None)
    found["serving"]["containers"][0]["env"].append(
        {"name": "CLAIMS", "valueSource": {"secretKeyRef": {"secret": "redis"}}}
    )
    found["enabled"] -= {"firestore.googleapis.com"}
    assert checks_of(found) == []


def test_nothing_is_guessed_where_a_setting_is_a_secret() -> None:
    found = answers()
    put(found, PUSH_AUTH=None, HANDLER_THREADS="250")
    found["serving"]["containers"][0]["env"] += [
        {"name": "PUSH_AUTH", "valueSource": {"secretKeyRef": {"secret": "auth"}}},
    ]
    assert checks_of(found) == []


def test_a_handlers_own_secret_is_no_setting() -> None:
    found = answers()
    found["serving"]["containers"][0]["env"] += [
        {"name": "STRIPE_KEY", "valueSource": {"secretKeyRef": {"secret": "stripe"}}},
    ]
    assert checks_of(found) == ["variable-unknown"]


def test_a_quarantine_topic_of_another_project_is_its_own_affair() -> None:
    found = answers()
    put(found, QUARANTINE="topic:projects/another/topics/quarantine")
    assert checks_of(found) == []


def test_another_subscription_of_the_topic_that_pushes_elsewhere_is_welcome() -> None:
    found = answers()
    other = keeping(
        "projects/demo-project/subscriptions/other", "projects/demo-project/topics/features"
    )
    found["subscriptions"].append(other | {"pushConfig": {"pushEndpoint": "https://x.example/"}})
    assert checks_of(found) == []


def test_eventarcs_subscriptions_for_other_services_are_left_alone() -> None:
    found = answers()
    name = "projects/demo-project/subscriptions/eventarc-europe-west1-other"
    found["subscriptions"].append(
        keeping(name, "projects/demo-project/topics/other")
        | {
            "messageRetentionDuration": "86400s",
            "pushConfig": {"pushEndpoint": "https://x.example"},
        }
    )
    assert checks_of(found) == []


def test_one_keeper_that_stays_is_enough() -> None:
    found = answers()
    second = copy.deepcopy(found["subscriptions"][1])
    second |= {
        "name": "projects/demo-project/subscriptions/looking",
        "expirationPolicy": {"ttl": "86400s"},
    }
    found["subscriptions"].append(second)
    assert checks_of(found) == []


def test_a_canary_that_is_not_judged_yet_is_no_failure() -> None:
    found = answers()
    found["service"] |= {"latestReadyRevision": "older", "reconciling": True}
    found["service"]["terminalCondition"] = {"state": "CONDITION_RECONCILING"}
    assert checks_of(found) == []


def test_a_variable_with_a_comma_is_escaped_for_gcloud() -> None:
    found = answers()
    put(found, PUSH_AUTH="oidc", PUSH_AUDIENCE="x", PUSH_SERVICE_ACCOUNT=PUSHER)
    found["service"]["invokerIamDisabled"] = True
    found["subscription"]["pushConfig"]["oidcToken"]["audience"] = "a,b"

    (finding,) = judged(found)

    assert finding.fix.endswith("'--update-env-vars=^;^PUSH_AUDIENCE=a,b'")


def test_the_endpoints_path_is_judged_whatever_its_address() -> None:
    found = answers()
    found["subscription"]["pushConfig"]["pushEndpoint"] = "https://push.example.com/hook"
    assert checks_of(found) == ["endpoint-custom", "endpoint-path"]


@pytest.mark.parametrize(
    ("push_auth", "public", "checks"),
    [
        ("cloud-run-iam", False, ["no-token"]),
        ("cloud-run-iam", True, ["public-trusts-iam"]),
        ("none", False, ["no-token", "push-auth-none"]),
        ("none", True, ["nobody-checks"]),
        ("oidc", False, ["no-token", "signature-removed"]),
        ("oidc", True, ["no-token"]),
    ],
)
def test_a_push_without_a_token_is_refused_where_one_is_asked_for(
    push_auth: str, public: bool, checks: list[str]
) -> None:
    found = answers()
    put(found, PUSH_AUTH=push_auth, PUSH_AUDIENCE=URI, PUSH_SERVICE_ACCOUNT=PUSHER)
    found["service"]["invokerIamDisabled"] = public
    del found["subscription"]["pushConfig"]["oidcToken"]
    assert checks_of(found) == checks


def test_limits_that_are_just_right_are_right() -> None:
    found = answers()
    found["serving"]["containers"][0]["resources"]["limits"]["memory"] = "340Mi"
    found["serving"]["timeout"] = "10s"
    found["subscription"]["deadLetterPolicy"]["maxDeliveryAttempts"] = 10
    found |= {"oldest_seconds": 600.0, "pushes": {"ack": 3, "remote_server_5xx": 3}}
    put(found, CLAIM_RETENTION_SECONDS="604800")
    assert checks_of(found) == []


def test_a_secret_in_the_endpoint_is_not_shown_as_the_audience() -> None:
    found = answers()
    put(found, PUSH_AUTH="oidc", PUSH_AUDIENCE=URI, PUSH_SERVICE_ACCOUNT=PUSHER)
    found["service"]["invokerIamDisabled"] = True
    found["subscription"]["pushConfig"] = {
        "pushEndpoint": f"{URI}/?token=hunter2",
        "oidcToken": {"serviceAccountEmail": PUSHER},
    }

    (finding,) = judged(found)

    assert finding.check == "audience-wrong"
    assert finding.what.startswith(f"its audience is {URI}/,")
    assert finding.fix.endswith(f"--push-auth-token-audience={URI}")
    assert "hunter2" not in str(finding)


@pytest.mark.parametrize("ingress", ["INTERNAL_ONLY", "INTERNAL_LOAD_BALANCER", "NONE"])
def test_any_ingress_but_all_is_a_note(ingress: str) -> None:
    found = answers()
    found["service"]["ingress"] = f"INGRESS_TRAFFIC_{ingress}"
    assert checks_of(found) == ["ingress-internal"]


@pytest.mark.parametrize("endpoint", ["https://[", "no address", "https://"])
def test_an_endpoint_that_is_no_address_does_not_end_the_examination(endpoint: str) -> None:
    found = answers()
    found["subscription"]["pushConfig"]["pushEndpoint"] = endpoint
    judged(found)


def test_a_duration_that_cannot_be_read_skips_its_check_alone() -> None:
    found = answers()
    found["serving"]["timeout"] = "soon"
    found["serving"]["containers"][0]["resources"]["limits"]["memory"] = "much"
    found["subscription"]["messageRetentionDuration"] = "long"
    assert checks_of(found) == []


def test_a_healthy_snapshot_can_be_changed_in_one_answer() -> None:
    assert [one.check for one in judge(live(topic=None), DEPLOYMENT)] == ["topic-missing"]
    assert judge(live(), DEPLOYMENT) == []
    assert SUBSCRIPTION in str(live().subscription)
    assert QUARANTINE in str(live().quarantine_topic)
