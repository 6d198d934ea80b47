"""worker.local.pubsub.push.faults, its routes and `python -m worker faults`."""

import contextlib
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from tests.support.anything import JSON
from tests.support.cli import error_of, nobody
from tests.support.standin import Reply, StandIn, talks
from worker.cli import main
from worker.local.clock import Clock
from worker.local.pubsub.push.faults import (
    NAMES,
    BadFault,
    Faults,
    FaultSettings,
    changed,
    parse_fault,
)
from worker.local.pubsub.push.routes import blueprint
from worker.local.pubsub.push.tokens import Tokens

PATH = "/local/v1/faults"


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Tokens:
    return Tokens(tmp_path_factory.mktemp("tokens"))


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def clock() -> Clock:
    return Clock(machine=lambda: 1000.0)


@pytest.fixture
def client(tokens: Tokens, faults: Faults, clock: Clock) -> FlaskClient:
    app = Flask(__name__)
    app.register_blueprint(blueprint(tokens, faults, clock))
    return app.test_client()


@pytest.fixture
def cloud(client: FlaskClient) -> Iterator[str]:
    """The routes on a port."""

    def answer(call: Any) -> Reply:
        found = client.open(call.path, method=call.method, data=call.body)
        return Reply(found.status_code, found.data)

    with StandIn(answer) as serving:
        yield serving.url


def run(*words: str) -> Result:
    result = CliRunner().invoke(main, ["faults", *words])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exc_info
    return result


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("duplicate=0.2", ("duplicate", 0.2)),
        ("drop-answer=1", ("drop_answer", 1.0)),
        ("delay=500ms", ("delay_seconds", 0.5)),
        ("delay=2s", ("delay_seconds", 2.0)),
        ("delay_seconds=.5", ("delay_seconds", 0.5)),
        ("burst=20", ("burst", 20)),
        ("paused=on", ("paused", True)),
        (" Reorder = FALSE ", ("reorder", False)),
    ],
)
def test_people_write_faults_with_units_and_switches(text: str, wanted: tuple[str, Any]) -> None:
    name, value = parse_fault(text)
    assert (name, value) == wanted
    assert type(value) is type(wanted[1])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("duplicate", "NAME=VALUE"),
        ("", "NAME=VALUE"),
        ("nonsense=1", "there is no such fault: want one of duplicate, reorder"),
        ("duplicate=1.1", "duplicate wants a probability from 0 to 1"),
        ("duplicate=often", "duplicate wants a probability"),
        ("drop_answer=-1", "drop_answer wants a probability"),
        ("drop_answer=5ms", "drop_answer wants a probability"),
        ("delay=601", "delay_seconds wants seconds from 0 to 600"),
        ("delay=nan", "delay_seconds wants seconds"),
        ("burst=101", "burst wants a whole number from 0 to 100"),
        ("burst=1.5", "burst wants a whole number"),
        ("paused=1", "paused wants true or false"),
        ("reorder=perhaps", "reorder wants true or false"),
    ],
)
def test_what_is_no_fault_is_one_clear_line(text: str, reason: str) -> None:
    with pytest.raises(BadFault, match=reason):
        changed(FaultSettings(), dict([parse_fault(text)]))


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), JSON, max_size=3))
def test_any_json_is_settings_or_a_bad_fault(wanted: dict[str, Any]) -> None:
    with contextlib.suppress(BadFault):
        settings = changed(FaultSettings(), wanted)
        assert changed(settings, asdict(settings)) == settings


@given(st.text())
def test_any_word_is_a_fault_or_a_bad_one(text: str) -> None:
    for word in (text, f"delay={text}", f"burst={text}"):
        with contextlib.suppress(BadFault):
            changed(FaultSettings(), dict([parse_fault(word)]))


def test_the_route_shows_and_changes_the_settings(client: FlaskClient, faults: Faults) -> None:
    assert client.get(PATH).json == asdict(FaultSettings())
    answer = client.patch(PATH, json={"duplicate": 0.5, "paused": True})
    assert answer.json == {**asdict(FaultSettings()), "duplicate": 0.5, "paused": True}
    client.patch(PATH, json={"paused": False})
    assert faults.get() == FaultSettings(duplicate=0.5)


def test_whoever_watches_hears_of_a_change(client: FlaskClient, faults: Faults) -> None:
    heard: list[FaultSettings] = []
    faults.watch(lambda: heard.append(faults.get()))
    client.patch(PATH, json={"burst": 3})
    assert heard == [FaultSettings(burst=3)]


@pytest.mark.parametrize(
    "body", ["", "[]", "{", '{"burst": -1}', '{"x": 1}', "[" * 100_000, '{"delay_seconds": 1e999}']
)
def test_a_wrong_change_is_a_400_and_changes_nothing(
    client: FlaskClient, faults: Faults, body: str
) -> None:
    answer = client.patch(PATH, data=body)
    assert answer.status_code == 400
    assert answer.get_json()["error"]["status"] == "INVALID_ARGUMENT"
    assert faults.get() == FaultSettings()


def test_the_clock_can_be_moved_forward(client: FlaskClient, clock: Clock) -> None:
    answer = client.post("/local/v1/clock:advance", json={"seconds": 60})
    assert answer.json == {"now": "1970-01-01T00:17:40+00:00"}
    assert clock.now() == 1060.0


@pytest.mark.parametrize(
    "body",
    ['{"seconds": -1}', '{"seconds": NaN}', '{"seconds": true}', "{}", '{"seconds": 1e99}',
     '{"seconds": 1, "more": 1}', f'{{"seconds": 1{"0" * 400}}}', "7"],
)  # fmt: skip
def test_the_clock_is_not_moved_by_nonsense(client: FlaskClient, clock: Clock, body: str) -> None:
    assert client.post("/local/v1/clock:advance", data=body).status_code == 400
    assert clock.now() == 1000.0


def test_the_keys_may_be_cached(client: FlaskClient) -> None:
    assert client.get("/oauth2/v1/certs").headers["Cache-Control"] == "public, max-age=3600"


def test_the_command_changes_what_it_is_told_and_shows_what_is_in_force(cloud: str) -> None:
    assert run("--url", cloud).stdout == "no faults: pushes are delivered as they come\n"
    run("--url", cloud, "duplicate=0.2", "delay=500ms")
    shown = run("--url", cloud, "paused=on").stdout
    assert [line.split()[:2] for line in shown.splitlines()] == [
        ["duplicate", "20%"],
        ["delay_seconds", "0.5"],
        ["paused", "on"],
    ]


def test_off_ends_all_faults_but_those_that_are_named(cloud: str) -> None:
    run("--url", cloud, "duplicate=0.2", "burst=5")
    shown = run("--url", cloud, "--off", "reorder=on", "--json")
    assert json.loads(shown.stdout) == asdict(FaultSettings(reorder=True))


def test_a_wrong_fault_is_refused_before_anybody_is_asked() -> None:
    with nobody() as address:
        said = error_of(run("--url", f"http://{address}", "burst=many"))
    assert said == "burst wants a whole number from 0 to 100"


def test_without_a_laptop_cloud_it_says_how_to_start_one() -> None:
    with nobody() as address:
        said = error_of(run("--url", f"http://{address}"))
    assert said == f"no laptop cloud at http://{address} (start it: python -m worker dev)"


@pytest.mark.parametrize(
    "answer", ["200 OK\r\n\r\n[]", "404 No\r\n\r\nno", "200 OK\r\n\r\n{", "nonsense"]
)
def test_another_server_is_no_laptop_cloud(answer: str) -> None:
    with talks(f"HTTP/1.1 {answer}".encode()) as address:
        said = error_of(run("--url", f"http://{address}"))
    assert "no laptop cloud" in said


def test_what_is_no_url_is_said(cloud: str) -> None:
    assert error_of(run("--url", "nonsense")).startswith("--url wants an address")
