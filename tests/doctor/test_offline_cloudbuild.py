"""Each mistake in cloudbuild.yaml is planted in a good one, and found where it is."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.doctor.checkout import (
    CLOUDBUILD,
    DEPLOYMENT,
    in_cloudbuild,
    line_of,
    names,
    planted,
)
from tests.support.server import ROOT
from worker.deployment import Deployment
from worker.doctor.cloudbuild import form, gcloud, order, substitutions
from worker.doctor.cloudbuild.reading import Build, read_build
from worker.doctor.finding import Severity
from worker.doctor.settings import access, agreement, capacity, variables
from worker.doctor.settings.deployed import Deployed

ENV = "--set-env-vars=PUSH_AUTH=cloud-run-iam,"
QUARANTINE = "QUARANTINE=topic:projects/$PROJECT_ID/topics/feature-worker-quarantine"

DOCKER = "    name: gcr.io/cloud-builders/docker\n"
SMOKE = "entrypoint: python\n    args: [-m, worker, smoke]"

# Check, what is replaced, by what, and the line where it is found (by a text in it).
PLANTED = [
    ("cloudbuild-malformed", "timeout: 1200s", "timeout: 1200", "timeout: 1200"),
    ("cloudbuild-malformed", "timeout: 60s", "timeout: 60", "timeout: 60"),
    ("cloudbuild-malformed", "    waitFor: [build]", "    waitfor: [build]", "waitfor"),
    ("cloudbuild-malformed", "timeout: 1200s", "timeuot: 1200s", "timeuot"),
    ("cloudbuild-malformed", "worker, smoke]", "worker, smoke, 8]", "smoke, 8"),
    ("cloudbuild-malformed", "waitFor: [build]", "waitFor: build", "waitFor: build"),
    ("cloudbuild-malformed", f"{DOCKER}    args: [build", "    args: [build", "id: build"),
    ("step-waits-for-unknown", "waitFor: [build]", "waitFor: [biuld]", "biuld"),
    ("step-waits-for-unknown", "waitFor: [build]", "waitFor: [traffic]", "waitFor: [traffic]"),
    ("step-id-twice", "id: push", "id: build\n    dir: .", "id: build\n    dir"),
    ("step-script-and-args", "    args: [push,", "    script: x\n    args: [push,", "id: push"),
    ("build-logs-nowhere", "\n  logging: CLOUD_LOGGING_ONLY", "", "serviceAccount:"),
    ("build-secret-unavailable", "    timeout: 60s", "    secretEnv: [KEY]", "secretEnv"),
    ("shell-variable-unescaped", "$$tag", "$TAG", "$TAG"),
    ("shell-variable-unescaped", "$$tag", "${TAG}", "${TAG}"),
    ("substitution-unknown", "--region=${_REGION} \\", "--region=${_REGON} \\", "_REGON"),
    ("substitution-unused", "  _REGION: europe", "  _MORE: x\n  _REGION: europe", "_MORE"),
    ("substitution-name", "  _REGION: europe", "  REGION: x\n  _REGION: europe", "  REGION"),
    ("substitution-empty", "_TAG: $BUILD_ID", "_TAG: $SHORT_SHA", "_TAG: $"),
    ("substitution-empty", '--tag, "${_IMAGE}:${_TAG}"', "--tag, gcr.io/x:$COMMIT_SHA", "$COMMIT"),
    ("substitution-not-dynamic", "  dynamicSubstitutions: true\n", "", "_TAG: $BUILD_ID"),
    ("substitution-in-script", SMOKE, "script: |\n      x\n      y -m worker smoke $_TAG", "$_TAG"),
    ("image-not-pushed", "args: [push,", "args: [pull,", "gcloud run deploy"),
    ("image-without-provenance", 'images: ["${_IMAGE}:${_TAG}"]\n', "", "gcloud run deploy"),
    ("deploy-takes-traffic", "--no-traffic ", "", "gcloud run deploy"),
    ("traffic-before-smoke", "smoke]", "features]", "id: traffic"),
    ("push-auth-missing", "PUSH_AUTH=cloud-run-iam,", "", "gcloud run deploy"),
    ("push-auth-none", "=cloud-run-iam,", "=none,", "gcloud run deploy"),
    ("nobody-checks", "--no-allow-unauthenticated", "--allow-unauthenticated", ""),
    ("public-trusts-iam", "--no-allow-unauthenticated", "--allow-unauthenticated", ""),
    ("signature-removed", "=cloud-run-iam,", "=oidc,PUSH_AUDIENCE=a,PUSH_SERVICE_ACCOUNT=b@c,", ""),
    ("push-auth-access-unsaid", "--no-allow-unauthenticated ", "", ""),
    ("default-account", "--service-account=", "--labels=a=", ""),
    ("settings-invalid", ENV, ENV + "HANDLER_THREADS=many,", ""),
    ("settings-invalid", "=cloud-run-iam,", "=oidc,", ""),
    ("variable-misspelt", ENV, ENV + "HANDLER_THREAD=8,", ""),
    ("variable-unknown", ENV, ENV + "COLOUR=blue,", ""),
    ("variable-reserved", ENV, ENV + "PORT=8080,", ""),
    ("host-loopback", ENV, ENV + "HOST=127.0.0.1,", ""),
    ("quarantine-none", f",{QUARANTINE}", "", ""),
    ("quarantine-folder", QUARANTINE, "QUARANTINE=folder:/tmp/q", ""),
    ("artifacts-folder", ENV, ENV + "ARTIFACTS=folder:/tmp/a,", ""),
    ("builds-nowhere", ENV, ENV + "UNKNOWN_FEATURE=build,", ""),
    ("build-tools-missing", ENV, ENV + "UNKNOWN_FEATURE=build,ARTIFACTS=gs://a,", ""),
    ("claims-memory", "CLAIMS=firestore", "CLAIMS=memory", ""),
    ("claims-memory", ",CLAIMS=firestore", "", ""),
    ("talks-to-emulator", ENV, ENV + "PUBSUB_EMULATOR_HOST=localhost:1,", ""),
    ("log-sink-api", ENV, ENV + "LOG_SINK=api,", ""),
    ("log-level-high", ENV, ENV + "LOG_LEVEL=warning,", ""),
    ("ack-deadline-short", ENV, ENV + "ACK_DEADLINE_SECONDS=60,", ""),
    ("timeout-short", "--timeout=610", "--timeout=5s", ""),
    ("concurrency-high", "--concurrency=8", "--concurrency=80", ""),
    ("concurrency-high", "--concurrency=8 ", "", ""),
    ("concurrency-low", "--concurrency=8", "--concurrency=4", ""),
    ("memory-small", "--memory=512Mi", "--memory=256Mi", ""),
    ("cpu-below-one", "--cpu=1", "--cpu=500m", ""),
    ("deployment-differs", "--max-instances=10", "--max-instances=11", "gcloud run deploy"),
    ("deployment-differs", "_REGION: europe-west1", "_REGION: europe-west4", "_REGION: e"),
    ("deployment-differs", ENV, ENV + "ARTIFACTS=gs://another/a,", ""),
    ("deployment-differs", ENV, ENV + "UNKNOWN_FEATURE=build,", ""),
    ("deployment-differs", "CLAIMS=firestore", "CLAIMS=redis://:s3cr3t-value@h:1/0", ""),
]  # fmt: skip


@pytest.mark.parametrize(("check", "old", "new", "where"), PLANTED)
def test_a_planted_mistake_is_found_where_it_is(
    tmp_path: Path, check: str, old: str, new: str, where: str
) -> None:
    text = planted(CLOUDBUILD, old, new)
    if check == "nobody-checks":
        text = planted(text, "=cloud-run-iam,", "=none,")
    findings = [one for one in in_cloudbuild(text, tmp_path) if one.check == check]
    assert findings
    line = line_of(text, where or "gcloud run deploy")
    assert f"cloudbuild.yaml:{line}" in [one.where for one in findings]
    assert all("\n" not in part for one in findings for part in (one.what, one.why, one.fix))
    assert all("s3cr3t-value" not in part for one in findings for part in (one.what, one.fix))


def test_every_check_of_cloudbuild_has_a_planted_mistake() -> None:
    areas: list[Any] = [form, substitutions, order, variables, access, capacity, agreement]
    checks = {check.name for area in areas for check in area.CHECKS}
    assert checks == {one[0] for one in PLANTED} | {"ack-deadline-long"}  # it has a test below


def test_in_a_good_one_nothing_is_found(tmp_path: Path) -> None:
    assert in_cloudbuild(CLOUDBUILD, tmp_path) == []


def test_ours_is_a_good_one(tmp_path: Path) -> None:
    assert in_cloudbuild((ROOT / "cloudbuild.yaml").read_text(), tmp_path) == []


def test_a_subscription_that_waits_longer_than_the_worker_thinks_is_a_note(tmp_path: Path) -> None:
    patient = Deployment(project="demo-project", ack_deadline_seconds=60)
    (finding,) = in_cloudbuild(CLOUDBUILD, tmp_path, patient)
    assert (finding.check, finding.severity) == ("ack-deadline-long", Severity.NOTE)


def test_a_worker_with_the_tools_and_a_place_may_build_features(tmp_path: Path) -> None:
    settings = f"{ENV}UNKNOWN_FEATURE=build,ARTIFACTS=gs://mine/a,"
    text = planted(CLOUDBUILD, ENV, settings).replace(
        "args: [build,", "args: [build, --build-arg=REQUIREMENTS=requirements-build.txt,"
    )
    builds = Deployment(project="demo-project", unknown_feature="build", artifacts="gs://mine/a")
    assert in_cloudbuild(text, tmp_path, builds) == []


def test_a_misspelt_substitution_is_told_the_right_name(tmp_path: Path) -> None:
    text = planted(CLOUDBUILD, "--region=${_REGION} \\", "--region=${_REGON} \\")
    (finding,) = in_cloudbuild(text, tmp_path)
    assert "did you mean _REGION?" in finding.what


def test_a_variable_of_the_shell_is_told_how_to_be_written(tmp_path: Path) -> None:
    (finding,) = in_cloudbuild(planted(CLOUDBUILD, "$$tag", "$NAME"), tmp_path)
    assert finding.fix == "write $$NAME, which reaches the shell as $NAME"


@pytest.mark.parametrize(
    "shell", ["$$NAME", "$${NAME:-x}", "$lower", "${NAME:-x}", "$(date)", "$?", "$1"]
)
def test_what_cloud_build_does_not_replace_is_no_finding(tmp_path: Path, shell: str) -> None:
    assert in_cloudbuild(planted(CLOUDBUILD, "$$tag", shell), tmp_path) == []


def test_a_script_that_gets_its_substitutions_is_a_good_one(tmp_path: Path) -> None:
    script = "script: python -m worker smoke $_REGION"
    for given in ("automapSubstitutions: true", "env: ['_REGION=${_REGION}']"):
        text = planted(CLOUDBUILD, SMOKE, f"{script}\n    {given}")
        assert in_cloudbuild(text, tmp_path) == []


def test_loose_substitutions_may_be_unused(tmp_path: Path) -> None:
    text = planted(CLOUDBUILD, "  _REGION: europe", "  _MORE: x\n  _REGION: europe")
    assert names(in_cloudbuild(text, tmp_path)) == ["substitution-unused"]
    text = planted(text, "options:\n", "options:\n  substitutionOption: ALLOW_LOOSE\n")
    assert in_cloudbuild(text, tmp_path) == []


def test_variables_that_stay_from_before_are_not_guessed(tmp_path: Path) -> None:
    text = planted(CLOUDBUILD, ENV, "--update-env-vars=HANDLERS=mine,")
    assert in_cloudbuild(text, tmp_path) == []


def test_variables_are_read_from_their_file_too(tmp_path: Path) -> None:
    text = planted(CLOUDBUILD, "--set-env-vars=PUSH_AUTH", "--env-vars-file=env.yaml --labels=X")
    (tmp_path / "env.yaml").write_text("PUSH_AUTH: none\nQUARANTINE: none\nCLAIMS: firestore\n")
    assert names(in_cloudbuild(text, tmp_path)) == ["quarantine-none", "push-auth-none"]


def test_variables_may_have_a_separator_of_their_own(tmp_path: Path) -> None:
    text = planted(CLOUDBUILD, ENV, "--set-env-vars=^@^PUSH_AUTH=none@QUARANTINE=none@X=")
    found = names(in_cloudbuild(text, tmp_path))
    assert "push-auth-none" in found
    assert "quarantine-none" in found


def test_no_value_of_a_variable_is_shown(tmp_path: Path) -> None:
    text = planted(CLOUDBUILD, ENV, f"{ENV}PUSH_CERTS_URL=s3cr3t-value,API_TOKEN=s3cr3t-value,")
    findings = in_cloudbuild(text, tmp_path)
    assert names(findings) == ["variable-unknown", "settings-invalid"]
    assert "s3cr3t-value" not in str(findings)


def build_with(command: str) -> Build:
    text = f"steps: [{{name: x, entrypoint: bash, args: [-c, {command!r}]}}]"
    return read_build(text)


@pytest.mark.emulator
def test_gcloud_itself_says_which_commands_are_wrong(tmp_path: Path) -> None:
    build = read_build(planted(CLOUDBUILD, "--max-instances=", "--max-instance-count=s3cr3t-"))
    (finding,) = gcloud.examine(build, {**os.environ, "CLOUDSDK_CONFIG": str(tmp_path)})
    assert "s3cr3t" not in finding.what
    assert finding.check == "gcloud-command-wrong"
    assert finding.where == f"cloudbuild.yaml:{line_of(CLOUDBUILD, 'gcloud run deploy')}"
    assert "--max-instance-count" in finding.what


def test_without_gcloud_its_answer_is_missing() -> None:
    with pytest.raises(gcloud.LintFailed, match="gcloud is not installed"):
        gcloud.examine(read_build(CLOUDBUILD), {"PATH": "/nowhere"})


def test_of_a_command_with_unknown_values_gcloud_judges_the_flags_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = """[{"success": false, "error_type": "ArgumentTypeError", "error_message": "no!"},
      {"success": false, "error_type": "UnrecognizedArgumentsError", "error_message": "a\\nb"},
      {"success": false, "error_type": "ArgumentTypeError", "error_message": "c"}]"""

    def run(*_: object, **__: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess([], 1, stdout=answers)

    monkeypatch.setattr(subprocess, "run", run)
    build = build_with("gcloud a --b=$x; gcloud c --d=$y; gcloud e --f=g")
    assert [one.what for one in gcloud.examine(build, {})] == [
        "gcloud c --d=\ufffd...: a",
        "gcloud e --f=g...: c",
    ]


@pytest.mark.parametrize(
    ("said", "why"),
    [("", "JSONDecodeError"), ("[]", "did not answer for each of them"), ("x", "JSONDecodeError")],
)
def test_what_gcloud_does_not_answer_is_not_guessed(
    monkeypatch: pytest.MonkeyPatch, said: str, why: str
) -> None:
    done: subprocess.CompletedProcess[str] = subprocess.CompletedProcess([], 1, stdout=said)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)
    with pytest.raises(gcloud.LintFailed, match=why):
        gcloud.examine(read_build(CLOUDBUILD), {})


def test_flags_without_a_value_take_no_word_from_the_command() -> None:
    words = ("gcloud", "run", "deploy", "--quiet", "name", "--region", "r")
    assert gcloud.text_of(words) == "gcloud run deploy name --region r --quiet"


@pytest.mark.parametrize(
    ("words", "mib", "seconds"),
    [
        ((), 512, 300),
        (("--memory=1Gi", "--timeout=10m"), 1024, 600),
        (("--memory", "512M", "--timeout", "1h"), 488, 3600),
        (("--memory=much", "--timeout=soon"), None, None),
        (("--memory=\ufffd", "--timeout=\ufffd"), None, None),
    ],
)
def test_quantities_are_read_as_gcloud_writes_them(
    words: tuple[str, ...], mib: int | None, seconds: int | None
) -> None:
    deployed = Deployed(words, "x", {})
    assert deployed.memory_mib == mib
    assert deployed.timeout_seconds == seconds


def test_what_only_the_running_script_knows_is_no_finding(tmp_path: Path) -> None:
    text = planted(CLOUDBUILD, "--concurrency=8", '--concurrency="$$(cat c)"')
    text = planted(text, "CLAIMS=firestore", "CLAIMS=$$claims,HANDLER_THREADS=$$t")
    assert in_cloudbuild(text, tmp_path, DEPLOYMENT) == []
