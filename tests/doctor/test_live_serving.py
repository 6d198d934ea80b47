"""What is read out of Google's resources: durations, quantities, addresses, revisions, roles."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.doctor.healthy import PUSHER, SERVICE, policy, service
from worker.doctor.live import grants
from worker.doctor.live.names import account_name, host_of, path_of, short
from worker.doctor.live.questions import QUESTIONS
from worker.doctor.live.serving import Serving, mib_of, serving_revision
from worker.doctor.live.snapshot import Skipped, Unread, known, seconds_of, there
from worker.project.policy import Policy

TEXTS = st.one_of(st.text(), st.from_regex(r"-?\d*\.?\d*(s|ms|m|Ki|Mi|Gi|k|G)?", fullmatch=True))
UNREAD = Unread(QUESTIONS["service"], "no", 403)
_BY_NAME = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


@pytest.mark.parametrize(
    ("duration", "seconds"), [("600s", 600), ("0.5s", 0.5), ("0s", 0), ("604800s", 604800)]
)
def test_a_duration_is_seconds(duration: str, seconds: float) -> None:
    assert seconds_of(duration) == seconds


@pytest.mark.parametrize(
    "duration", ["", "s", "600", "10m", "soon", None, 600, "nans", "infs", "-1s"]
)
def test_what_is_no_duration_skips_the_check(duration: object) -> None:
    with pytest.raises(Skipped):
        seconds_of(duration)


@pytest.mark.parametrize(
    ("quantity", "mib"),
    [("512Mi", 512), ("1Gi", 1024), ("2048Ki", 2), ("1048576", 1), ("1.5Gi", 1536),
     ("1048576k", 1000), ("1.048576M", 1), ("1.048576G", 1000)],
)  # fmt: skip
def test_a_quantity_is_mib(quantity: str, mib: float) -> None:
    assert mib_of(quantity) == pytest.approx(mib)


@pytest.mark.parametrize("quantity", ["", "Mi", "512MB", "1e3", "-1Gi", None, "much", "9" * 400])
def test_what_is_no_quantity_skips_the_check(quantity: object) -> None:
    with pytest.raises(Skipped):
        mib_of(quantity)


@given(TEXTS)
def test_any_text_is_a_number_or_skips_the_check(text: str) -> None:
    for read in (seconds_of, mib_of):
        with suppress(Skipped):
            assert 0 <= read(text) < float("inf")


@pytest.mark.parametrize(
    ("address", "host", "path"),
    [
        ("https://a.example/b?token=c", "a.example", "/b"),
        ("https://A.Example:8443", "a.example:8443", ""),
        ("https://user:secret@a.example/", "a.example", "/"),
        ("custom", "", "custom"),
        ("https://[", "", ""),
        (None, "", ""),
    ],
)
def test_an_address_has_a_host_and_a_path(address: object, host: str, path: str) -> None:
    assert (host_of(address), path_of(address)) == (host, path)


@given(st.text())
def test_any_text_may_be_taken_for_an_address(text: str) -> None:
    assert "@" not in host_of(text)
    path_of(text)


def test_an_account_is_found_in_its_own_project() -> None:
    assert account_name("a@b.iam.gserviceaccount.com") == (
        "projects/b/serviceAccounts/a@b.iam.gserviceaccount.com"
    )
    default = "1-compute@developer.gserviceaccount.com"
    assert account_name(default) == f"projects/-/serviceAccounts/{default}"


def test_the_last_part_of_a_name_is_its_short_one() -> None:
    assert short("projects/p/topics/t") == "t"
    assert short(None) == "None"


def test_an_answer_is_known_or_there_or_neither() -> None:
    assert known(None) is None
    assert there("x") == "x"
    for ask, answer in ((known, UNREAD), (there, UNREAD), (there, None)):
        with pytest.raises(Skipped):
            ask(answer)


def test_the_newest_revision_serves_in_a_healthy_service() -> None:
    assert serving_revision(service()) == ""


@pytest.mark.parametrize("answer", [None, UNREAD])
def test_without_a_service_no_revision_serves(answer: Unread | None) -> None:
    assert serving_revision(answer) == ""


def test_the_revision_with_the_most_traffic_serves() -> None:
    older = "feature-worker-00001-xyz"
    shares: list[dict[str, Any]] = [
        {"type": _BY_NAME, "revision": "feature-worker-00002-abc", "percent": 10},
        {"type": _BY_NAME, "revision": older, "percent": 90},
        {"type": _BY_NAME, "revision": "feature-worker-00000-old", "tag": "old"},
    ]
    asked = service() | {"trafficStatuses": shares}
    assert serving_revision(asked) == f"{SERVICE}/revisions/{older}"

    shares[0]["percent"], shares[1]["percent"] = 100, 0
    assert serving_revision(asked) == ""


def test_the_last_that_was_ready_serves_while_the_newest_is_not() -> None:
    older = f"{SERVICE}/revisions/feature-worker-00001-xyz"
    assert serving_revision(service() | {"latestReadyRevision": older}) == older
    asked = service() | {"latestReadyRevision": older, "trafficStatuses": [], "traffic": []}
    assert serving_revision(asked) == older


def test_cloud_runs_defaults_hold_where_nothing_is_said() -> None:
    serving = Serving({}, {})
    assert serving.concurrency == 80
    assert serving.timeout_seconds == 300
    assert serving.max_instances == 100
    assert serving.memory_mib == 512
    assert not serving.throttled
    assert serving.account == ""
    assert serving.variables == {}


def test_the_smaller_limit_of_instances_holds() -> None:
    revision = {"scaling": {"maxInstanceCount": 10}}
    assert Serving({}, revision).max_instances == 10
    assert Serving({"scaling": {"maxInstanceCount": 3}}, revision).max_instances == 3
    assert Serving({"scaling": {"minInstanceCount": 1}}, {}).max_instances == 100


def test_the_container_with_a_port_is_the_worker() -> None:
    beside = {"name": "sidecar", "env": [{"name": "A", "value": "1"}]}
    worker = {
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "B"}, {"name": "C", "valueSource": {}}],
    }
    assert Serving({}, {"containers": [beside, worker]}).variables == {"B": "", "C": None}
    assert Serving({}, {"containers": [beside]}).variables == {"A": "1"}


@given(st.sampled_from(grants.INVOKE), st.sampled_from(["allUsers", f"serviceAccount:{PUSHER}"]))
def test_each_of_the_roles_is_enough(role: str, member: str) -> None:
    granted = Policy({"bindings": [{"role": role, "members": [member]}]})
    assert not grants.lacks(PUSHER, grants.INVOKE, Policy({}), granted)


@given(st.sampled_from(grants.PUBLISH), st.emails())
def test_a_role_of_another_account_is_not_ours(role: str, email: str) -> None:
    granted = Policy({"bindings": [{"role": role, "members": [f"serviceAccount:{email}"]}]})
    assert grants.lacks(PUSHER, grants.PUBLISH, granted)


def test_another_role_and_an_empty_policy_grant_nothing() -> None:
    assert grants.lacks(PUSHER, grants.INVOKE, policy(run_viewer=PUSHER))
    assert grants.lacks(PUSHER, grants.INVOKE)
    assert grants.lacks(
        PUSHER, grants.INVOKE, Policy({"bindings": [{"role": "roles/run.invoker"}]})
    )


@pytest.mark.parametrize("member", ["allUsers", "allAuthenticatedUsers"])
def test_everybody_makes_a_service_public(member: str) -> None:
    bindings = [{"role": "roles/run.invoker", "members": [member]}]
    assert grants.is_public(Policy({}), Policy({"bindings": bindings}))
    assert not grants.is_public(policy(run_invoker=PUSHER))
    assert not grants.is_public(Policy({"bindings": [bindings[0] | {"condition": {}}]}))
