"""docs/provision.md, deploy.toml and cloudbuild.yaml say what the code does."""

import tomllib
from typing import Any

import click
import pytest
import yaml

from tests.support.markdown import blocks, table
from tests.support.server import ROOT
from worker.cli.provision import command
from worker.deployment import Deployment
from worker.provision.nextsteps import SUBSTITUTED, build_command, next_steps, substitution
from worker.provision.roles import roles_of

PAGE = ROOT / "docs" / "provision.md"
SUBSTITUTIONS: dict[str, str] = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())[
    "substitutions"
]


def default_of(name: str) -> str:
    field = Deployment.model_fields[name]
    return "needed" if field.is_required() else f"`{shown(field.default)}`"


def shown(value: Any) -> str:
    return "[]" if value == () else str(value)


def check_table(columns: list[str], rows: list[list[str]]) -> None:
    """The page holds exactly this table; if not, the failure prints it, ready to be pasted."""
    lines = [columns, *rows]
    rendered = [f"| {' | '.join(line)} |\n" for line in lines]
    rendered.insert(1, "|" + "---|" * len(columns) + "\n")
    if "".join(rendered) + "\n" not in PAGE.read_text():
        pytest.fail(f"provision.md wants this table:\n{''.join(rendered)}", pytrace=False)


def test_the_table_of_settings_is_the_codes() -> None:
    rows = [
        [f"`{name}`", default_of(name), Deployment.want(name), str(field.description)]
        for name, field in Deployment.model_fields.items()
    ]
    check_table(["Setting", "Default", "Takes", "Meaning"], rows)


def test_the_table_of_roles_is_the_codes() -> None:
    rows = [
        [f"`{grant.role}`", grant.member.title, grant.target.title]
        for grant in roles_of(Deployment(project="demo"))
    ]
    check_table(["Role", "Whose", "On"], rows)


def test_every_option_is_on_the_page() -> None:
    options = [one.opts[0] for one in command.params if isinstance(one, click.Option)]
    listed = [row[0].strip("`").split()[0] for row in table(PAGE, "Option")]
    assert sorted(listed) == sorted(options)


def test_the_settings_file_that_is_shipped_says_nothing_but_defaults() -> None:
    for name, value in tomllib.loads((ROOT / "deploy.toml").read_text()).items():
        assert value == Deployment.model_fields[name].default, name


def test_what_the_pages_write_into_deploy_toml_makes_a_deployment() -> None:
    found = [tomllib.loads(one.text) for one in blocks("text") if "# deploy.toml" in one.text]
    assert [Deployment(project="demo", **one).unknown_feature for one in found] == ["build"]


@pytest.mark.parametrize("setting", SUBSTITUTED)
def test_cloudbuild_has_a_substitution_for_each_setting_with_the_same_default(setting: str) -> None:
    assert SUBSTITUTIONS[substitution(setting)] == str(Deployment.model_fields[setting].default)


def test_the_build_command_is_short_for_the_defaults() -> None:
    assert build_command(Deployment(project="demo")) == (
        "gcloud builds submit --project=demo --config=cloudbuild.yaml"
    )


def test_the_build_command_says_what_differs_and_no_password() -> None:
    deployment = Deployment(
        project="demo", region="us-central1", claims="redis://:SECRET@host/0", memory_mib=1024
    )
    assert build_command(deployment) == (
        "gcloud builds submit --project=demo --config=cloudbuild.yaml --substitutions="
        "'_REGION=us-central1,_CLAIMS=redis://***@host/0,_MEMORY_MIB=1024'"
    )


def test_after_the_first_run_comes_the_build_and_after_the_second_the_proof() -> None:
    deployment = Deployment(project="demo")
    first = next_steps(deployment, " --project=demo", waits=True)
    assert [line.partition(" --project")[0] for line in first] == [
        "gcloud builds submit", "python -m worker provision", "python -m worker smoke",
        "python -m worker doctor",
    ]  # fmt: skip
    second = next_steps(deployment, "", waits=False)
    assert second == ["python -m worker smoke", "python -m worker doctor"]
