"""Each rung, judged from planted evidence: what is said, and what mends it."""

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.smoke.planted import (
    ACCOUNT,
    BEGAN,
    BY_TOPIC,
    FAILED,
    REVISION,
    SENT,
    SERVICE,
    SUBSCRIPTION,
    TAGGED,
    TOKEN,
    URL,
    answer,
    by_url,
    ended,
    evidence,
    of_service,
    policy,
)
from tests.support.gcloud_commands import Command, lint
from worker.desk.held import Held
from worker.message import Form, Message
from worker.project.policy import Policy
from worker.smoke.evidence import Backlog, Evidence, Reached, Unknown
from worker.smoke.ladder import RUNGS, cause, climb
from worker.smoke.ladder.rung import Rung, State

POST = {"requestMethod": "POST"}
FROM_PUBSUB = {**POST, "userAgent": "APIs-Google; (+https://...)"}
LATER = BEGAN + timedelta(seconds=30)
OLD = BEGAN - timedelta(seconds=90)
DEAD = Held("id", "reason", message=Message("1", b"", {}, Form.WRAPPED), attempts=20)
ASKED = replace(BY_TOPIC, revision="feature-worker-00003-xyz")
NEWEST = f"{SERVICE['name']}/revisions/feature-worker-00003-xyz"
NOT_STARTING = {"name": NEWEST, "conditions": [FAILED]}
EXCLUSION = {"name": "no-health", "filter": 'httpRequest.requestUrl:"/health"'}


def pushing_to(endpoint: str, **token: str) -> dict[str, Any]:
    config = {"pushEndpoint": endpoint, **({"oidcToken": token} if token else {})}
    return {**SUBSCRIPTION, "pushConfig": config}


def sink(**changes: Any) -> tuple[dict[str, Any], ...]:
    return ({"name": "_Required", "disabled": False}, {"name": "_Default", **changes})


# The rung that is the cause, what it must say, and what the command that mends it must hold.
BROKEN: dict[str, tuple[Evidence, str, str, str]] = {
    "no topic": (
        evidence(sent=replace(SENT, missing=True, message_id="")),
        "topic", "features is not there", "topics create features",
    ),
    "no subscription": (
        evidence(subscription=None),
        "subscription", "is not there", f"--push-endpoint={URL}/",
    ),
    "no subscription and no service": (
        evidence(subscription=None, service=None),
        "subscription", "is not there", "subscriptions create feature-worker",
    ),
    "a subscription of a deleted topic": (
        evidence(subscription={**SUBSCRIPTION, "topic": "_deleted-topic_"}),
        "subscription", "_deleted-topic_", "subscriptions delete feature-worker",
    ),
    "a detached subscription": (
        evidence(subscription={**SUBSCRIPTION, "detached": True}),
        "subscription", "detached", "subscriptions delete feature-worker",
    ),
    "no service": (
        evidence(service=None, revision=Unknown()),
        "revision", "feature-worker is not there, in europe-west1", "gcloud builds submit",
    ),
    "a newest revision that does not start": (
        evidence(revision=NOT_STARTING),
        "revision", "the container does not start", "revisions describe feature-worker-00003-xyz",
    ),
    "a revision that was asked for and does not start": (
        evidence(question=ASKED, revision=NOT_STARTING),
        "revision", "00003-xyz is not ready", "revisions describe feature-worker-00003-xyz",
    ),
    "a revision that is not there": (
        evidence(question=ASKED, revision=None),
        "revision", "there is no revision feature-worker-00003-xyz", "revisions list",
    ),
    "a revision without traffic": (
        evidence(question=ASKED, processed=(ended("done"),)),
        "revision", REVISION, "--to-revisions=feature-worker-00003-xyz=100",
    ),
    "no revision at all": (
        evidence(
            revision=Unknown(),
            service={"uri": URL, "terminalCondition": {"reason": "CONTAINER_MISSING"}},
        ),
        "revision", "no revision is ready: CONTAINER_MISSING", "revisions list",
    ),
    "no push endpoint": (
        evidence(subscription={**SUBSCRIPTION, "pushConfig": {}}),
        "endpoint_url", "pushes nowhere", "subscriptions update feature-worker",
    ),
    "another endpoint": (
        evidence(subscription=pushing_to("https://elsewhere.example/", **TOKEN)),
        "endpoint_url", "elsewhere.example", f"--push-endpoint={URL}/",
    ),
    "another path": (
        evidence(subscription=pushing_to(f"{URL}/pubsub/push", **TOKEN)),
        "endpoint_url", "/pubsub/push", f"--push-endpoint={URL}/",
    ),
    "another service that got it": (
        evidence(processed=(of_service("other-worker"),)),
        "endpoint_url", "other-worker", f"--push-endpoint={URL}/",
    ),
    "a url where no worker is": (
        by_url(answer=answer(404)), "endpoint_url", "404", "services describe",
    ),
    "a url that redirects": (
        by_url(answer=answer(302)), "endpoint_url", "302", "services describe",
    ),
    "an endpoint where nobody answers": (
        evidence(reached=Reached(0, "nothing listens there")),
        "endpoint_reachable", "nothing listens there", "services describe feature-worker",
    ),
    "an endpoint where Pub/Sub gets no answer": (
        evidence(responses={"unreachable": 3}),
        "endpoint_reachable", "Pub/Sub gets no answer", "services describe feature-worker",
    ),
    "a url where nobody answers": (
        by_url(unreachable="the name is not known"),
        "endpoint_reachable", "the name is not known", "services describe feature-worker",
    ),
    "pushes that are answered 403": (
        evidence(requests=({**FROM_PUBSUB, "status": 403},)),
        "iam", "403", f"--member=serviceAccount:{ACCOUNT} --role=roles/run.invoker",
    ),
    "an account without the role": (
        evidence(service_policy=Policy({})),
        "iam", "may not call", f"--member=serviceAccount:{ACCOUNT} --role=roles/run.invoker",
    ),
    "pushes without a token": (
        evidence(subscription=pushing_to(f"{URL}/")),
        "iam", "carry no token", f"--push-auth-service-account={ACCOUNT}",
    ),
    "a url that answers 403": (
        by_url(answer=answer(403)), "iam", "may not call", "--role=roles/run.invoker",
    ),
    "a token that Cloud Run does not take": (
        evidence(requests=({**FROM_PUBSUB, "status": 401},)),
        "token", "401", f"--push-auth-token-audience={URL}",
    ),
    "a token that the worker does not take": (
        evidence(refused=(ended("refused", 401, "the token is not valid: InvalidAudienceError"),)),
        "token", "InvalidAudienceError", f"--update-env-vars=PUSH_AUDIENCE={URL}",
    ),
    "a token of another account": (
        evidence(refused=(ended("refused", 403, "the token belongs to another account"),)),
        "token", "another account", f"PUSH_SERVICE_ACCOUNT={ACCOUNT}",
    ),
    "a url that answers 401": (
        by_url(answer=answer(401)), "token", "401", "services describe feature-worker",
    ),
    "a url whose worker refuses": (
        by_url(answer=answer(401, "refused", "refused")), "token", "401", "PUSH_AUDIENCE=",
    ),
    "others that wait before it": (
        evidence(backlog=Backlog(5000, OLD, LATER)),
        "backlog", "5000 messages wait, the oldest for 120 s", "--max-instances=20",
    ),
    "a handler that retries": (
        evidence(processed=(ended("retry", 503, "the warehouse is closed"),)),
        "nacks", "retry (the warehouse is closed)", 'jsonPayload.outcome="retry"',
    ),
    "a handler that is too slow": (
        evidence(processed=(ended("timed_out", 504), ended("timed_out", 504))),
        "nacks", "2 times", "--project=demo-project --ack-deadline=60",
    ),
    "a worker without a free thread": (
        evidence(processed=(ended("overloaded", 429),)),
        "nacks", "overloaded", "--max-instances=20",
    ),
    "pushes that Cloud Run itself answers": (
        evidence(requests=({**FROM_PUBSUB, "status": 503},), errors=("Memory limit exceeded",)),
        "nacks", "503, without an entry", "severity>=ERROR",
    ),
    "a url that answers 500": (
        by_url(answer=answer(500)), "nacks", "500, without an entry", "severity>=ERROR",
    ),
    "a message that Pub/Sub gave up on": (
        evidence(processed=(ended("retry", 503, "the warehouse is closed"),), dead=DEAD),
        "dead_lettered", "after 20 attempts, last: retry (the warehouse is closed)",
        "subscriptions pull feature-worker-dead",
    ),
    "a message that Pub/Sub gave up on after crashes": (
        evidence(processed=(ended("crashed", 500, "KeyError"),), dead=DEAD),
        "dead_lettered", "crashed (KeyError)", "severity>=ERROR",
    ),
    "a message that was rejected": (
        evidence(processed=(ended("rejected", 200, "no handler is registered"),)),
        "quarantined", "no handler is registered", "builds submit",
    ),
    "a message that could not be quarantined": (
        evidence(processed=(ended("rejected", 500, "no handler is registered"),)),
        "quarantined", "could not quarantine it", "--role=roles/pubsub.publisher",
    ),
    "a handler that crashes": (
        evidence(processed=(ended("crashed", 500, "KeyError at a.py:1", stack_trace="Traceback"),)),
        "crashed", "KeyError at a.py:1", "revisions list",
    ),
    "a disabled sink": (
        evidence(sinks=sink(disabled=True), backlog=None),
        "log_sink", "_Default is disabled", "--project=demo-project --no-disabled",
    ),
    "a sink with an exclusion": (
        evidence(sinks=sink(exclusions=[EXCLUSION]), backlog=None),
        "log_sink", "no-health", "--remove-exclusions=no-health",
    ),
    "an ack without an entry": (
        evidence(requests=({**FROM_PUBSUB, "status": 200},), sinks=Unknown("403")),
        "log_sink", "acked, but its entry is not in the log", "sinks list",
    ),
    "an ack at a url without an entry": (
        by_url(answer=answer(200)), "log_sink", "acked", "sinks list",
    ),
    "a duplicate of what nobody did": (
        evidence(processed=(ended("duplicate"),)), "log_sink", "acked", "sinks list",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_named_with_what_mends_it(name: str) -> None:
    planted, rung, said, command = BROKEN[name]
    found = cause(climb(planted))
    assert found is not None
    assert (found.name, found.state) == (rung, State.BROKEN), found.what
    assert said in found.what
    assert any(command in one for one in found.fix), found.fix
    assert found.why
    assert all(text.isprintable() for text in (found.what, found.why, *found.fix))
    json.dumps(found.evidence)


def test_every_rung_is_broken_by_something() -> None:
    assert {rung for _, rung, _, _ in BROKEN.values()} == set(RUNGS)


def test_with_everything_in_its_place_no_rung_is_broken() -> None:
    rungs = climb(evidence())
    assert cause(rungs) is None
    assert {one.state for one in rungs} == {State.OK}, [one for one in rungs if one.state != "ok"]
    assert [one.name for one in rungs] == list(RUNGS)


def test_what_cannot_be_asked_is_unknown_and_breaks_nothing() -> None:
    rungs = climb(Evidence(BY_TOPIC, SENT))
    assert cause(rungs) is None
    states = {one.name: one.state for one in rungs}
    assert {name for name, state in states.items() if state is State.UNKNOWN} == {
        "subscription", "revision", "endpoint_url", "endpoint_reachable", "iam", "token",
        "backlog", "nacks", "dead_lettered", "log_sink",
    }  # fmt: skip


def test_a_message_that_came_has_passed_all_before_whatever_the_rest_looks_like() -> None:
    unlikely = evidence(
        processed=(ended("retry", 503),), subscription=None, service=None,
        service_policy=Policy({}), reached=Reached(0, "a firewall"),
        requests=({**POST, "status": 403},), refused=(ended("refused", 401),),
        backlog=Backlog(99, OLD, LATER), sinks=sink(disabled=True),
    )  # fmt: skip
    rungs = climb(unlikely)
    assert [one.name for one in rungs if one.is_broken] == ["nacks"]


def test_at_a_url_topic_and_subscription_are_not_asked() -> None:
    rungs = climb(by_url(answer=answer(200, "done")))
    assert {one.name for one in rungs if one.state is State.NOT_ASKED} == {
        "topic", "subscription", "backlog", "dead_lettered",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("planted", "rung", "state"),
    [
        (
            evidence(subscription={**SUBSCRIPTION, "filter": "attributes:x"}),
            "subscription", "unknown",
        ),
        (
            evidence(service={**SERVICE, "invokerIamDisabled": True}, service_policy=Policy({})),
            "iam", "ok",
        ),
        (evidence(service_policy=policy("roles/run.invoker", "allUsers")), "iam", "ok"),
        (
            evidence(
                service_policy=Policy({}),
                project_policy=policy("roles/run.invoker", f"serviceAccount:{ACCOUNT}"),
            ),
            "iam", "ok",
        ),
        (
            evidence(refused=(ended("refused", 403),), requests=({**POST, "status": 403},)),
            "iam", "ok",
        ),
        (evidence(backlog=Backlog(5000, BEGAN, LATER)), "backlog", "ok"),
        (evidence(backlog=Backlog(1, OLD, LATER)), "backlog", "ok"),
        (evidence(backlog=None), "backlog", "ok"),
        (evidence(service=Unknown("403")), "endpoint_url", "unknown"),
        (evidence(subscription=pushing_to(f"{TAGGED}/")), "endpoint_url", "broken"),
        (
            evidence(
                subscription=pushing_to(f"{TAGGED}/"),
                service={**SERVICE, "trafficStatuses": [{"tag": "candidate", "uri": TAGGED}]},
            ),
            "endpoint_url", "ok",
        ),
        (
            evidence(
                subscription=pushing_to("https://worker.example/"),
                requests=({**FROM_PUBSUB, "status": 401},),
            ),
            "endpoint_url", "ok",
        ),
        (
            evidence(
                subscription=pushing_to("https://worker.example/"),
                requests=({**POST, "status": 401, "userAgent": "curl"},),
            ),
            "endpoint_url", "broken",
        ),
        (evidence(revision=NOT_STARTING, requests=({**POST, "status": 401},)), "revision", "ok"),
        (evidence(sinks=sink(disabled=True)), "log_sink", "broken"),
        (
            evidence(
                sinks=sink(exclusions=[EXCLUSION]), requests=({**POST, "status": 503},),
            ),
            "log_sink", "ok",
        ),
        (
            evidence(sinks=sink(exclusions=[{**EXCLUSION, "disabled": True}]), backlog=None),
            "log_sink", "ok",
        ),
        (evidence(sinks=({"name": "other", "disabled": True},), backlog=None), "log_sink", "ok"),
        (
            evidence(backlog=Backlog(0, None, LATER), responses={"ack": 1}),
            "log_sink", "broken",
        ),
        (evidence(backlog=Backlog(0, None, BEGAN), responses={"ack": 1}), "log_sink", "ok"),
    ],
)  # fmt: skip
def test_the_finer_points(planted: Evidence, rung: str, state: str) -> None:
    found = {one.name: one for one in climb(planted)}[rung]
    assert found.state == state, found.what


def test_a_rung_is_first_by_what_a_message_meets_first() -> None:
    both = evidence(service_policy=Policy({}), subscription=pushing_to("https://else.example/"))
    found = cause(climb(both))
    assert found is not None
    assert found.name == "endpoint_url"


def test_giving_up_is_not_the_cause_where_pushes_never_came() -> None:
    found = cause(climb(evidence(service_policy=Policy({}), dead=DEAD)))
    assert found is not None
    assert found.name == "iam"


def all_fixes() -> list[str]:
    rungs: list[Rung] = [one for planted, *_ in BROKEN.values() for one in climb(planted)]
    return sorted({command for one in rungs for command in one.fix})


@pytest.mark.emulator
def test_gcloud_knows_every_command_that_mends_something() -> None:
    assert lint([Command("smoke", tuple(shlex.split(one))) for one in all_fixes()]) == []
