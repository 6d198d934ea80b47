"""cloudbuild.yaml, run step by step with the real gcloud: canary, or nothing."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloudbuild.config import A_COMMIT, BUILD_ID
from tests.cloudbuild.stage import (
    OLD,
    REGISTRY,
    REVISION,
    TAG,
    LocalWorker,
    Stage,
    local_worker,
    our_build,
    traffic_of,
)  # fmt: skip
from tests.support.google import FakeGoogle

pytestmark = [pytest.mark.emulator, pytest.mark.server]

_CRASHES = '''
"""smoke_test: crashes."""

from worker import Context, Requirements, feature


class Anything(Requirements):
    nonce: str = ""


@feature("smoke_test")
def smoke_test(want: Anything, context: Context) -> None:
    raise RuntimeError("the bug of this release")
'''


@pytest.fixture
def broken(tmp_path: Path) -> Iterator[Stage]:
    """A stage whose worker crashes on every smoke test."""
    package = tmp_path / "code" / "crashing"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "smoke_test.py").write_text(_CRASHES)
    (tmp_path / "cloud").mkdir()
    settings = {"HANDLERS": "crashing", "PYTHONPATH": str(package.parent)}
    with local_worker(tmp_path / "cloud", **settings) as worker:
        host = worker.cloud.address.host
        with FakeGoogle(pubsub=host, logging=host) as google:
            yield Stage(tmp_path, google, worker)


@pytest.fixture
def no_pushes(healthy: LocalWorker) -> Iterator[None]:
    """The subscription has no push endpoint."""
    healthy.cloud.broker.pause()
    yield
    healthy.cloud.broker.point(healthy.url)


def test_a_revision_that_is_proved_twice_gets_all_the_traffic(stage: Stage) -> None:
    stage.serves()
    result = stage.run(our_build())

    assert result.succeeded, result.output
    deployed, shifted = stage.changes()  # and no IAM policy: the build account may set none
    assert traffic_of(deployed) == [(OLD, 100, ""), (REVISION, 0, TAG)]
    assert traffic_of(shifted) == [(REVISION, 100, "")]
    assert stage.serving() == {REVISION: 100}
    assert result.steps["verdict"].output.strip() == (
        f"DEPLOYED: {REVISION} is proved and has all traffic"
    )
    assert result.pushed == (f"{REGISTRY}:{BUILD_ID}", f"{REGISTRY}:latest")

    # The canary was asked before the traffic moved, the topic afterwards.
    calls = stage.google.calls
    asked = [call.api for call in calls if call.api in ("logging", "pubsub") or call is shifted]
    assert re.fullmatch(r"(logging )+run pubsub( pubsub)*( logging)+", " ".join(asked)), asked


def test_the_revision_is_what_the_settings_say(stage: Stage) -> None:
    stage.serves()
    assert stage.run(our_build().only("serving", "deploy")).succeeded
    (deployed,) = stage.changes()
    template = deployed.body["spec"]["template"]
    assert template["metadata"]["name"] == REVISION
    assert template["metadata"]["annotations"]["autoscaling.knative.dev/maxScale"] == "10"
    spec = template["spec"]
    assert spec["serviceAccountName"] == "feature-worker@demo-project.iam.gserviceaccount.com"
    assert (spec["containerConcurrency"], spec["timeoutSeconds"]) == (8, 610)
    (container,) = spec["containers"]
    assert container["image"] == f"{REGISTRY}:{BUILD_ID}"
    assert container["resources"] == {"limits": {"cpu": "1", "memory": "512Mi"}}
    assert {one["name"]: one["value"] for one in container["env"]} == {
        "PUSH_AUTH": "cloud-run-iam",
        "GOOGLE_CLOUD_PROJECT": "demo-project",
        "QUARANTINE": "topic:projects/demo-project/topics/feature-worker-quarantine",
        "ACK_DEADLINE_SECONDS": "10",
        "HANDLER_THREADS": "8",
        "CLAIMS": "firestore",
        "ARTIFACTS": "none",
        "UNKNOWN_FEATURE": "reject",
    }


def test_a_trigger_deploys_the_image_of_its_commit(stage: Stage) -> None:
    stage.serves()
    build = our_build({"_TAG": "$SHORT_SHA"}, A_COMMIT)
    assert stage.run(build.only("build", "push", "serving", "deploy")).succeeded
    (deployed,) = stage.changes()
    (container,) = deployed.body["spec"]["template"]["spec"]["containers"]
    assert container["image"] == f"{REGISTRY}:5f0c1de"
    assert f"docker push --quiet {REGISTRY}:5f0c1de" in stage.asked
    assert f" --build-arg=REVISION={A_COMMIT['COMMIT_SHA']} " in stage.asked[3]


def test_a_canary_that_crashes_gets_no_traffic(broken: Stage) -> None:
    broken.serves()
    result = broken.run(our_build({"_SMOKE_WAIT": "2"}))

    assert not result.succeeded
    assert list(result.steps)[-1] == "canary"
    assert result.steps["canary"].code == 1
    assert "the bug of this release" in result.steps["canary"].output
    assert result.output.splitlines()[-1] == (
        f"NOT DEPLOYED: the new revision is not proved (see above). Traffic stays: {OLD}=100"
    )
    assert len(broken.changes()) == 1
    assert broken.serving() == {OLD: 100}


def test_traffic_goes_back_when_the_topic_does_not_prove_it(stage: Stage, no_pushes: None) -> None:
    stage.serves()
    result = stage.run(our_build({"_SMOKE_WAIT": "2"}))

    assert not result.succeeded
    assert result.steps["canary"].code == 0, result.output
    assert result.steps["smoke"].code == 1
    assert "Broken: endpoint_url" in result.steps["smoke"].output
    _deployed, shifted, returned = stage.changes()
    assert traffic_of(shifted) == [(REVISION, 100, "")]
    assert traffic_of(returned) == [(OLD, 100, "")]
    assert result.steps["verdict"].code == 1
    assert result.output.splitlines()[-1] == (
        f"ROLLED BACK: the topic did not prove {REVISION} (see the step smoke). "
        f"Traffic is where it was: {OLD}=100"
    )


def test_the_first_deployment_makes_the_service_and_says_how_to_go_on(stage: Stage) -> None:
    result = stage.run(our_build())

    assert result.succeeded, result.output
    (made,) = stage.changes()
    assert made.method == "POST"
    assert "traffic" not in made.body["spec"]
    assert "python -m worker provision" in result.steps["verdict"].output
    assert result.output.splitlines()[-1].strip() == "python -m worker smoke"
    assert not [call for call in stage.google.calls if call.api in ("logging", "pubsub")]


def test_a_project_that_may_not_be_asked_is_not_taken_for_an_empty_one(stage: Stage) -> None:
    stage.google.fail("run", "GET", r"/services$", 403, "run.services.list was denied")
    result = stage.run(our_build().only("serving", "deploy"))
    assert list(result.steps) == ["serving"]
    assert "run.services.list was denied" in result.output


def test_a_revision_that_does_not_start_is_not_asked(stage: Stage) -> None:
    stage.serves()
    stage.google.revision_fails = "the container did not listen on PORT"
    result = stage.run(our_build().only("serving", "deploy", "canary"))
    assert list(result.steps) == ["serving", "deploy"]
    assert "the container did not listen on PORT" in result.output
    assert stage.serving() == {OLD: 100}


def test_another_revision_does_not_prove_this_one(stage: Stage) -> None:
    stage.released()
    stage.worker.is_revision(OLD)
    result = stage.run(our_build({"_SMOKE_WAIT": "2"}).only("canary"))
    assert result.steps["canary"].code == 1
    result = stage.run(our_build({"_SMOKE_WAIT": "2"}).only("smoke"))
    assert result.steps["smoke"].code == 1
    assert not (stage.workspace / "release" / "proved").exists()


def test_the_tag_of_a_canary_that_failed_is_no_traffic(stage: Stage) -> None:
    to_old = {"revisionName": OLD, "percent": 100}
    stage.serves(OLD)
    stage.serves(f"{OLD}er", traffic=(to_old, {"revisionName": OLD, "tag": "b7654321"}))
    assert stage.run(our_build().only("serving")).succeeded
    assert (stage.workspace / "release" / "serving").read_text() == f"{OLD}=100"


def test_a_canary_that_cannot_be_asked_about_is_not_proved(stage: Stage) -> None:
    stage.released()
    stage.google.fail("logging", "", "", 403, "logging.logEntries.list was denied")
    result = stage.run(our_build().only("canary"))
    assert result.steps["canary"].code == 1
    assert "NOT DEPLOYED" in result.output


def test_traffic_that_cannot_be_moved_is_moved_back(stage: Stage) -> None:
    stage.serves(OLD)
    stage.serves(REVISION, traffic=({"revisionName": OLD, "percent": 100},))
    stage.released()
    stage.google.fail("run", "PUT", "", 400, "traffic was refused", times=1)
    result = stage.run(our_build().only("traffic"))
    assert result.steps["traffic"].code == 1
    assert "traffic was refused" in result.output
    assert f"moved back to {OLD}=100" in result.output
    refused, returned = stage.changes()
    assert traffic_of(refused) == [(REVISION, 100, "")]
    assert (returned.status, traffic_of(returned)) == (200, [(OLD, 100, "")])


def test_traffic_that_was_split_is_split_again(stage: Stage) -> None:
    stage.serves(OLD, f"{OLD}er", REVISION)
    stage.released(before=f"{OLD}=90,{OLD}er=10")
    result = stage.run(our_build().only("verdict"))
    assert "ROLLED BACK" in result.output
    assert stage.serving() == {OLD: 90, f"{OLD}er": 10}


def test_traffic_that_somebody_else_moved_stays_where_it_is(stage: Stage) -> None:
    stage.serves(OLD, f"{OLD}er")
    stage.released()
    result = stage.run(our_build().only("verdict"))
    assert result.steps["verdict"].code == 1
    assert "somebody moved the traffic since" in result.output
    assert stage.changes() == []


def test_a_way_back_that_is_refused_is_said_with_the_command(stage: Stage) -> None:
    stage.serves(OLD, REVISION)
    stage.released()
    stage.google.fail("run", "PUT", "", 403, "run.services.update was denied")
    result = stage.run(our_build().only("verdict"))
    assert result.steps["verdict"].code == 1
    last = result.output.splitlines()[-1]
    assert last.startswith(f"NOT ROLLED BACK: {REVISION} is not proved and still has all traffic.")
    assert "update-traffic feature-worker --project=demo-project" in last
    assert f"--to-revisions={OLD}=100" in last


def test_a_service_whose_name_leaves_no_room_for_the_tag_is_refused_first(stage: Stage) -> None:
    result = stage.run(our_build({"_SERVICE": "w" * 38}).only("serving"))
    assert result.steps["serving"].code == 1
    assert result.output.splitlines()[-1].startswith("_SERVICE is too long: Cloud Run takes 46")
    assert stage.google.calls == []


def test_what_is_tested_and_built_is_the_checkout(stage: Stage) -> None:
    result = stage.run(our_build().only("test", "build", "push"))
    assert result.succeeded
    assert stage.asked[:3] == [
        "pip install --quiet --root-user-action=ignore --require-hashes -r requirements-dev.txt",
        "python -m worker doctor --offline",
        "python -m pytest -n 2 --dist loadfile",
    ]
    image = f"--tag={REGISTRY}:{BUILD_ID} --tag={REGISTRY}:latest"
    (built,) = [line for line in stage.asked if image in line]
    assert f"--cache-from={REGISTRY}:packages --cache-from={REGISTRY}:latest" in built
    assert stage.asked[-2:] == [
        f"docker push --quiet {REGISTRY}:packages",
        f"docker push --quiet {REGISTRY}:{BUILD_ID}",
    ]
