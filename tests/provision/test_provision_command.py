"""`python -m worker provision` as a command: it shows, asks, and does nothing unasked."""

from typing import Any

import pytest

from tests.provision.conftest import Provision
from tests.provision.support import lines_with
from tests.support.cli import error_of, nobody, run
from tests.support.google import FakeGoogle

IAM = "CLOUDSDK_API_ENDPOINT_OVERRIDES_IAM"


@pytest.fixture(autouse=True)
def no_shell_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a shell that has never heard of a laptop cloud."""
    for name in (IAM, "CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "GOOGLE_CLOUD_PROJECT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits there."""
    monkeypatch.setattr("worker.cli.provision._is_terminal", lambda: True)


def test_a_dry_run_shows_the_plan_and_stops(google: FakeGoogle, provision: Provision) -> None:
    result = provision(google, "--dry-run")
    assert result.exit_code == 0
    assert "43 to make, 2 waiting" in result.stdout
    assert google.mutations() == []


def test_the_plan_is_aligned(google: FakeGoogle, provision: Provision) -> None:
    lines = provision(google, "--dry-run").stdout.splitlines()
    columns = {line.index("  ", 4 + len(line[4:].partition("  ")[0])) for line in lines[:-1]}
    starts = {len(line) - len(line[4:].partition("  ")[2].lstrip()) for line in lines[:-1]}
    assert len(starts) == 1, columns


@pytest.mark.usefixtures("terminal")
def test_it_asks_and_a_no_changes_nothing(google: FakeGoogle, provision: Provision) -> None:
    result = provision(google, stdin=b"n\n")
    assert "Apply? [y/N]" in result.stdout
    assert result.exit_code == 130
    assert google.mutations() == []


@pytest.mark.usefixtures("terminal")
def test_it_asks_and_a_yes_applies(google: FakeGoogle, provision: Provision) -> None:
    result = provision(google, stdin=b"y\n")
    assert result.exit_code == 0, result.output
    assert "43 made, 2 waiting" in result.stdout


@pytest.mark.parametrize("words", [(), ("--destroy",)])
def test_without_a_terminal_it_wants_yes(
    google: FakeGoogle, provision: Provision, words: tuple[str, ...]
) -> None:
    provision(google, "--yes")
    google.resources.pop(("pubsub", "projects/demo-project/topics/features"))
    google.clear()
    result = provision(google, *words)
    assert result.exit_code == 2
    assert result.stderr == (
        "error: nobody is there to ask: give --yes, or --dry-run to see the plan only\n"
    )
    assert google.mutations() == []


def test_with_nothing_to_do_nobody_is_asked(google: FakeGoogle, provision: Provision) -> None:
    provision(google, "--yes")
    result = provision(google)
    assert result.exit_code == 0
    assert "nothing to do" in result.stdout


def test_it_says_what_comes_next_with_the_options_of_this_run(google: FakeGoogle) -> None:
    environment: dict[str, Any] = {**google.environment}
    result = run("provision", "--yes", "--project", "demo-project", **environment)
    after = result.stdout.partition("Next:\n")[2]
    assert after.split("\n")[:2] == [
        "  gcloud builds submit --project=demo-project --config=cloudbuild.yaml",
        "  python -m worker provision --project=demo-project",
    ]


def test_a_project_that_cannot_be_seen_is_one_line_and_nothing_is_done(
    google: FakeGoogle, provision: Provision
) -> None:
    google.fail("serviceusage", "GET", "services", 403, "Permission denied.")
    assert error_of(provision(google, "--yes")) == (
        "the project cannot be looked at: Service Usage answered 403: Permission denied."
    )
    assert google.mutations() == []


def test_a_server_that_is_not_there_is_one_line() -> None:
    with nobody() as address:
        names = (IAM, "CLOUDSDK_API_ENDPOINT_OVERRIDES_SERVICEUSAGE")
        elsewhere: dict[str, Any] = dict.fromkeys(names, f"http://{address}/")
        result = run("provision", "--yes", "--project", "demo", **elsewhere)
    assert f"http://{address} cannot be used: ConnectionError" in error_of(result)


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true"}, "CLOUDSDK_AUTH_DISABLE_CREDENTIALS"),
        ({"PUBSUB_EMULATOR_HOST": "127.0.0.1:1"}, "PUBSUB_EMULATOR_HOST"),
    ],
)
def test_in_a_shell_of_the_laptop_cloud_it_refuses(environment: dict[str, Any], named: str) -> None:
    said = error_of(run("provision", "--yes", "--project", "demo", **environment))
    assert said == (
        f"this shell talks to a laptop cloud or emulator, which has no IAM: unset {named}"
    )


def test_a_script_can_be_printed_in_a_shell_of_the_laptop_cloud() -> None:
    given: dict[str, Any] = {"CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true"}
    result = run("provision", "--as-script", "--project", "demo", **given)
    assert result.exit_code == 0


def test_a_script_that_destroys_there_is_none() -> None:
    result = run("provision", "--as-script", "--destroy", "--project", "demo")
    assert error_of(result) == "--as-script prints how things are made: leave --destroy out"


def test_bad_settings_are_one_line() -> None:
    assert error_of(run("provision", "--project", "No Project")) == (
        "deploy.toml: project does not fit (want a project id)"
    )


def test_what_is_done_is_said_in_the_order_of_the_plan(
    google: FakeGoogle, provision: Provision
) -> None:
    planned, _, went = provision(google, "--yes").stdout.partition("\n\n")
    titles = [line.split("  ")[0] for line in lines_with("+", planned)]
    assert [line.split("  ")[0] for line in lines_with("+", went)] == titles
