"""What cloudbuild.yaml says, without running it."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.cloudbuild.config import A_COMMIT, BUILD_ID, Build
from tests.cloudbuild.stage import CONFIG, REGISTRY, our_build
from tests.support.markdown import table
from tests.support.server import ROOT
from worker.deployment import Deployment

# The build's own; every other substitution is a setting of deploy.toml.
_OF_THE_BUILD = {"_TAG", "_IMAGE", "_REQUIREMENTS", "_SMOKE_WAIT"}
_PAGE = ROOT / "docs" / "cloudbuild.md"
_SETTINGS = Deployment(project="demo-project")


def _substitutions() -> dict[str, str]:
    return dict(yaml.safe_load(CONFIG.read_text())["substitutions"])


@pytest.fixture(scope="module")
def build() -> Build:
    return our_build()


def test_substitutions_are_settings_with_their_defaults() -> None:
    settings = _SETTINGS.model_dump()
    of_deploy_toml = {
        name: value for name, value in _substitutions().items() if name not in _OF_THE_BUILD
    }
    assert of_deploy_toml == {name: str(settings[name[1:].lower()]) for name in of_deploy_toml}


def test_a_submit_names_the_image_by_the_build_and_a_trigger_by_the_commit(build: Build) -> None:
    assert build.images == (f"{REGISTRY}:{BUILD_ID}", f"{REGISTRY}:latest")
    assert build.step("canary").image == f"{REGISTRY}:{BUILD_ID}"
    triggered = our_build({"_TAG": "$SHORT_SHA"}, A_COMMIT)
    assert triggered.images == (f"{REGISTRY}:5f0c1de", f"{REGISTRY}:latest")
    assert triggered.step("smoke").image == f"{REGISTRY}:5f0c1de"


def test_the_build_runs_as_its_own_account_and_logs_where_that_may(build: Build) -> None:
    account = _SETTINGS.email(_SETTINGS.build_account)
    assert build.account == f"projects/demo-project/serviceAccounts/{account}"
    assert build.options["logging"] == "CLOUD_LOGGING_ONLY"
    assert build.options["requestedVerifyOption"] == "VERIFIED"


def test_tests_run_beside_the_build_and_nothing_is_pushed_before_both_are_done(
    build: Build,
) -> None:
    assert build.step("test").waits_for == build.step("build").waits_for == ()
    assert build.before("push") == {"test", "build", "sbom"}


def test_from_the_push_on_steps_run_one_after_the_other(build: Build) -> None:
    """A step that fails would end one that runs beside it, the way back as well."""
    names = [step.id for step in build.steps]
    from_push = names[names.index("push") :]
    assert from_push == [
        "push", "attach", "serving", "deploy", "canary", "traffic", "smoke", "verdict",
    ]  # fmt: skip
    for earlier, later in itertools.pairwise(from_push):
        assert earlier in build.before(later)


def test_only_what_must_not_keep_the_verdict_from_running_may_fail(build: Build) -> None:
    assert [step.id for step in build.steps if step.may_fail] == ["sbom", "attach", "smoke"]


def test_smoke_tests_run_in_the_image_that_was_just_built(build: Build) -> None:
    for name in ("canary", "smoke"):
        step = build.step(name)
        assert (step.image, step.folder) == (f"{REGISTRY}:{BUILD_ID}", "/app")
    assert "WORKDIR /app" in (ROOT / "Dockerfile").read_text()


def test_what_is_installed_is_said_to_the_build_of_the_packages_and_to_that_of_the_image() -> None:
    """Else the second would install something else anew."""
    said = our_build({"_REQUIREMENTS": "requirements-build.txt"}).step("build").args[-1]
    assert said.count("docker build ") == 2
    assert said.count("--build-arg=REQUIREMENTS=requirements-build.txt") == 2


def test_the_stage_whose_layers_are_cached_is_one_of_the_dockerfile(build: Build) -> None:
    (stage,) = re.findall(r"--target=(\w+)", build.step("build").args[-1])
    assert re.search(rf"^FROM .* AS {stage}$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize(
    "step", ["test", "build", "push", "serving", "deploy", "canary", "traffic", "smoke", "verdict"]
)
def test_the_scripts_are_good_shell(build: Build, step: str, tmp_path: Path) -> None:
    script = tmp_path / f"{step}.sh"
    options = " ".join(build.step(step).args[:-1]).replace(" -c", "").replace("-euc", "-eu")
    script.write_text(f"#!/bin/bash\nset {options}\n{build.step(step).args[-1]}")
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run(
        [shellcheck, "--severity=style", "--exclude=SC2050,SC2157,SC2194", script],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_the_page_has_each_step_each_ending_and_each_substitution(build: Build) -> None:
    assert [row[0] for row in table(_PAGE, "Step")] == [f"`{step.id}`" for step in build.steps]
    scripts = "".join(step.args[-1] for step in build.steps if step.args)
    said = set(re.findall(r'echo "([A-Z]{3}[A-Z ]+)[:]', scripts))
    assert {row[0] for row in table(_PAGE, "Last line begins")} == {f"`{one}`" for one in said}
    own = {row[0].strip("`"): row[1].strip("`") for row in table(_PAGE, "Substitution")}
    assert own == {name: _substitutions()[name] for name in _OF_THE_BUILD}
