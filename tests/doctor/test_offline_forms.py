"""Forms of cloudbuild.yaml and of the flags in it that are rarer than those of the good one."""

from pathlib import Path

import pytest

from tests.doctor.checkout import CLOUDBUILD, DEPLOYMENT, in_cloudbuild, names, planted
from worker.deployment import Deployment
from worker.doctor.cloudbuild import form
from worker.doctor.cloudbuild.order import option
from worker.doctor.cloudbuild.reading import read_build
from worker.doctor.memory import needed_mib
from worker.doctor.settings import agreement, capacity
from worker.doctor.settings.deployed import Deployed

STEP = "steps: [{name: a}]\n"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[a]", "is no mapping with steps"),
        ("", "is no mapping with steps"),
        ("timeout: 5s", "has no list of steps"),
        ("steps: []", "has no list of steps"),
        ("steps: {a: b}", "has no list of steps"),
        ("steps: [a]", "has a step that is no mapping"),
        ("steps: [{id: a}]", "has a step without the name of an image"),
        ("steps: [{name: a, id: 1}]", "wants a text for id; quote it"),
        ("steps: [{name: a, env: {b: c}}]", "wants a list for env"),
        (f"{STEP}queueTtl: soon", "wants seconds for queueTtl, as in 1200s"),
        ("steps: [{name: a, timeout: 5m}]", "wants seconds for timeout, as in 1200s"),
        ("step: [{name: a}]\nsteps: [{name: a}]", "has 'step', which is no field"),
    ],
)
def test_what_is_no_build_configuration_is_said(text: str, what: str) -> None:
    (finding,) = form.examine(read_build(text))
    assert (finding.check, finding.what) == ("cloudbuild-malformed", f"cloudbuild.yaml {what}")


@pytest.mark.parametrize(
    "text",
    [
        f"{STEP}serviceAccount: a\nlogsBucket: gs://b",
        f"{STEP}serviceAccount: a\noptions: {{logging: NONE}}",
        f"{STEP}serviceAccount: a\noptions: {{defaultLogsBucketBehavior: REGIONAL_USER_OWNED}}",
        f"{STEP}availableSecrets: {{secretManager: [{{env: A}}]}}\noptions: {{secretEnv: [A]}}",
        f"{STEP}availableSecrets: {{inline: [{{envMap: {{A: b}}}}]}}\noptions: {{secretEnv: [A]}}",
        "steps: [{name: a, id: b}, {name: a, waitFor: ['-']}, {name: a, waitFor: [b]}]",
        "steps: [{name: a, script: b, timeout: 1.5s}]",
    ],
)
def test_what_cloud_build_takes_is_no_finding(text: str) -> None:
    assert list(form.examine(read_build(text))) == []


def test_a_step_may_not_wait_for_itself() -> None:
    (finding,) = form.examine(read_build("steps: [{name: a, id: b, waitFor: [b]}]"))
    assert finding.check == "step-waits-for-unknown"


@pytest.mark.parametrize(
    "push",
    [
        'args: [push, --all-tags, "${_IMAGE}"]',
        'args: [buildx, build, --push, "--tag=${_IMAGE}:${_TAG}"]',
    ],
)
def test_an_image_is_pushed_in_more_than_one_way(tmp_path: Path, push: str) -> None:
    text = planted(CLOUDBUILD, 'args: [push, "${_IMAGE}:${_TAG}"]', push)
    assert in_cloudbuild(text, tmp_path) == []


def test_an_image_from_elsewhere_need_not_be_pushed(tmp_path: Path) -> None:
    text = planted(CLOUDBUILD, "args: [push,", "args: [pull,")
    text = planted(text, "--image=${_IMAGE}:${_TAG}", "--image=gcr.io/some/thing")
    assert in_cloudbuild(text, tmp_path) == []


def test_an_option_has_its_last_value() -> None:
    words = ["--a=1", "--ab=2", "--a", "3", "--b"]
    assert [option(words, name) for name in ("--a", "--b", "--c")] == ["3", "", ""]


@pytest.mark.parametrize(
    ("flags", "workers", "found"),
    [("--max-instances=1", "1", []), ("--max-instances=1", "2", ["claims-memory"]),
     ("--max-instances=default", "1", ["claims-memory"])],
)  # fmt: skip
def test_memory_is_enough_for_claims_in_one_process(
    tmp_path: Path, flags: str, workers: str, found: list[str]
) -> None:
    text = planted(CLOUDBUILD, "--max-instances=10", flags)
    text = planted(text, "CLAIMS=firestore", f"WORKERS={workers}")
    checks = names(in_cloudbuild(text, tmp_path))
    assert [one for one in checks if one == "claims-memory"] == found


@pytest.mark.parametrize(
    ("cpu", "low"),
    [("1", False), ("2", False), ("0.5", True), ("500m", True), ("1000m", False), ("a lot", False)],
)
def test_less_than_one_cpu_is_for_one_push_at_a_time(cpu: str, low: bool) -> None:
    deployed = Deployed((f"--cpu={cpu}", "--concurrency=8", "--max-instances=1"), "x", {})
    assert ("cpu-below-one" in names(capacity.examine(deployed, DEPLOYMENT))) is low
    alone = Deployed((f"--cpu={cpu}", "--concurrency=1"), "x", {})
    assert "cpu-below-one" not in names(capacity.examine(alone, DEPLOYMENT))


def test_memory_is_for_the_largest_messages() -> None:
    assert needed_mib(workers=1, places=8, concurrency=8) == 60 + 8 * 35
    assert needed_mib(workers=1, places=8, concurrency=80) == 60 + 8 * 35 + 8 * 14
    assert needed_mib(workers=2, places=16, concurrency=4) == 2 * 60 + 4 * 35
    assert needed_mib(workers=1, places=250, concurrency=250) == 60 + 16 * 35


COMMAND = ("gcloud", "run", "deploy")
AS_DEPLOYED = (
    "feature-worker", "--region=europe-west1", "--service-account=feature-worker@p.x",
    "--memory=512Mi", "--max-instances=10", "--timeout=610",
)  # fmt: skip
AS_SET: dict[str, str | None] = {
    "QUARANTINE": "topic:projects/p/topics/feature-worker-quarantine",
    "CLAIMS": "firestore",
}
BARE = read_build(STEP)


def differing(words: tuple[str, ...], environment: dict[str, str | None]) -> list[str]:
    """The settings of deploy.toml that are deployed in another way."""
    deployed = Deployed((*COMMAND, *words), "x", environment)
    return [one.what.split()[0] for one in agreement.examine(BARE, deployed, DEPLOYMENT)]


@pytest.mark.parametrize(
    ("old", "new", "setting"),
    [
        ("feature-worker", "another", "service"),
        ("--region=europe-west1", "--region=europe-west4", "region"),
        ("--service-account=feature-worker@p.x", "--service-account=other@p.x", "runtime_account"),
        ("--memory=512Mi", "--memory=1Gi", "memory_mib"),
        ("--max-instances=10", "--max-instances=11", "max_instances"),
        ("--timeout=610", "--timeout=600", "timeout_seconds"),
    ],
)
def test_flags_are_compared_with_deploy_toml(old: str, new: str, setting: str) -> None:
    assert differing(AS_DEPLOYED, AS_SET) == []
    words = tuple(new if word == old else word for word in AS_DEPLOYED)
    assert differing(words, AS_SET) == [setting]


@pytest.mark.parametrize(
    ("variable", "value", "setting"),
    [
        ("QUARANTINE", "topic:projects/p/topics/other", "quarantine_topic"),
        ("CLAIMS", "memory", "claims"),
        ("HANDLER_THREADS", "9", "handler_threads"),
    ],
)
def test_variables_are_compared_with_deploy_toml(variable: str, value: str, setting: str) -> None:
    assert differing(AS_DEPLOYED, {**AS_SET, variable: value}) == [setting]
    assert differing(AS_DEPLOYED, {**AS_SET, variable: None}) == []


def test_a_setting_that_differs_is_said_once(tmp_path: Path) -> None:
    elsewhere = Deployment(project="demo-project", region="us-central1")
    (finding,) = in_cloudbuild(CLOUDBUILD, tmp_path, elsewhere)
    assert finding.what == (
        "region is not as in deploy.toml: 'europe-west1' here, 'us-central1' there"
    )
