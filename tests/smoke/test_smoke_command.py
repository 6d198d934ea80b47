"""The command: what it prints, how it ends, and what it says when it cannot ask."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.smoke.planted import entry
from tests.support.cli import error_of, nobody, run
from tests.support.server import ROOT
from tests.support.standin import Call, Reply, StandIn
from worker.cli.smokeprogress import Progress, progress
from worker.smoke.ladder import RUNGS

TOPIC = "/v1/projects/demo-project/topics/features:publish"
LIST = "/v2/entries:list"
SECRET = "ya29.s3cr3t"
WAIT_SECONDS = 30.0
KEYS = [
    "verdict", "mode", "message_id", "nonce", "topic", "service", "revision",
    "published", "pushed", "handled", "visible", "seconds", "entry", "commands",
    "logs_link", "logs_query", "broken", "rungs", "error",
]  # fmt: skip

Answer = Callable[[Call], Reply]


class Google:
    """Every API at one address: Pub/Sub takes the message, and the log has what `log` says."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {TOPIC: Reply.json({"messageIds": ["4711"]})}
        self.log: list[dict[str, Any]] = []
        self.asked = threading.Event()  # for the entries of the message

    def __call__(self, call: Call) -> Reply:
        path = call.path.partition("?")[0]
        if path == LIST:
            self.asked.set()
        if path in self.replies:
            return self.replies[path]
        if path == LIST:
            return Reply.json({"entries": self.log})
        return Reply.error(403, "Permission denied on resource")


@pytest.fixture
def google() -> Google:
    return Google()


@pytest.fixture
def there(google: Google) -> Iterator[StandIn]:
    with StandIn(google) as running:
        yield running


def variables(address: str, **more: str) -> dict[str, Any]:
    names = ("LOGGING", "RUN", "MONITORING", "IAMCREDENTIALS", "CLOUDRESOURCEMANAGER")
    overrides = {f"CLOUDSDK_API_ENDPOINT_OVERRIDES_{name}": f"http://{address}/" for name in names}
    pubsub = {"PUBSUB_EMULATOR_HOST": address, "GOOGLE_CLOUD_PROJECT": "demo-project"}
    return pubsub | overrides | more


def smoke(there: StandIn, *words: str, **more: str) -> Result:
    return run("smoke", "--wait", "0", *words, **variables(there.address, **more))


def document(result: Result) -> dict[str, Any]:
    """The one JSON document on stdout, with nothing beside it."""
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert list(found) == KEYS
    assert [one["rung"] for one in found["rungs"]] == list(RUNGS)
    return dict(found)


def test_a_proof_for_people(there: StandIn, google: Google) -> None:
    google.log = [entry({"outcome": "done", "status": 200, "queue_seconds": 0.5})]
    result = smoke(there)
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0].startswith("proved: feature-worker received, handled and logged it")
    assert [line.split()[0] for line in lines[2:6]] == ["published", "pushed", "handled", "visible"]
    assert [line.split()[3] for line in lines[2:5]] == ["+0.000", "+0.500", "+0.750"]
    assert '    "outcome": "done",' in (line.replace("      ", "    ") for line in lines)
    assert any("gcloud pubsub topics publish features" in line for line in lines)
    assert any(line.startswith("  gcloud logging read 'resource.type=") for line in lines)
    assert lines[-1].startswith(f"  {there.url}/logs?query=")  # its page shows the entries here
    assert result.stderr.splitlines() == [
        "publishing to projects/demo-project/topics/features",
        "published 4711: waiting for its log entry",
    ]


def test_a_proof_for_machines(there: StandIn, google: Google) -> None:
    google.log = [entry({"outcome": "done", "status": 200, "queue_seconds": 0.5})]
    result = smoke(there, "--json")
    found = document(result)
    assert result.exit_code == 0
    assert (found["verdict"], found["mode"], found["message_id"]) == ("proved", "topic", "4711")
    assert (found["broken"], found["error"]) == (None, None)
    assert found["pushed"] == "2026-11-21T19:00:02.250Z"
    assert found["handled"] == "2026-11-21T19:00:02.500Z"
    assert (found["seconds"]["pushed"], found["seconds"]["handled"]) == (0.5, 0.75)
    assert {one["state"] for one in found["rungs"]} == {"not asked"}
    published = json.loads(there.calls[0].body)["messages"][0]
    assert found["nonce"].startswith("smoke-")
    assert published["attributes"] == {}


def test_what_is_not_proved_for_people(there: StandIn, google: Google) -> None:
    crash = {
        "outcome": "crashed",
        "status": 500,
        "reason": "KeyError",
        "stack_trace": "Trace\nback",
    }
    google.log = [entry(crash)]
    result = smoke(there)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == "not proved: the handler crashed: KeyError"
    assert "  BROKEN   crashed             the handler crashed: KeyError" in lines
    assert "  back" in lines  # the stack trace, line by line
    assert "What mends it:" in lines
    assert result.stderr.splitlines()[-1] == "not proved: looking for what is broken"


def test_without_anything_broken_it_says_so(there: StandIn) -> None:
    result = smoke(there)
    assert result.exit_code == 1
    assert result.stdout.startswith("not proved: no entry came, and nothing that could be looked")
    found = document(smoke(there, "--json"))
    assert (found["verdict"], found["broken"]) == ("not_proved", None)
    said = {one["rung"]: one["what"] for one in found["rungs"] if one["state"] == "unknown"}
    assert said["subscription"] == "Pub/Sub answered 403: Permission denied on resource"


def test_text_from_the_other_side_moves_no_cursor(there: StandIn, google: Google) -> None:
    google.log = [entry({"outcome": "crashed", "reason": "\x1b[2J", "stack_trace": "\x1b]0;x\x07"})]
    assert "\x1b" not in smoke(there).stdout


def test_a_topic_that_is_not_there_is_an_answer(there: StandIn, google: Google) -> None:
    google.replies[TOPIC] = Reply.error(404, "Resource not found")
    found = document(smoke(there, "--json"))
    assert (found["verdict"], found["broken"]["rung"]) == ("not_proved", "topic")
    assert (found["message_id"], found["published"], found["logs_query"]) == (None, None, None)


COULD_NOT: dict[str, tuple[str, Reply, str]] = {
    "no leave to publish": (TOPIC, Reply.error(403, "denied"), "nothing can be published"),
    "Pub/Sub fails": (TOPIC, Reply.error(500, "oh"), "nothing can be published"),
    "no leave to read": (LIST, Reply.error(403, "denied"), "Cloud Logging cannot be read: 403"),
    "a quota used up": (LIST, Reply.error(429, "quota"), "Cloud Logging cannot be read: 429"),
}  # fmt: skip


@pytest.mark.parametrize("name", COULD_NOT)
def test_what_cannot_be_asked_is_one_line_or_one_document(
    there: StandIn, google: Google, name: str
) -> None:
    path, reply, said = COULD_NOT[name]
    google.replies[path] = reply
    result = smoke(there)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    result = smoke(there, "--json")
    found = document(result)
    assert (result.exit_code, found["verdict"]) == (2, "could_not_ask")
    assert said in found["error"]
    assert found["message_id"] == ("4711" if path == LIST else None)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ("region = 7", "region does not fit"),
        ("regoin = 'x'", "regoin is no setting"),
        ("= x", "is no TOML"),
        (None, "is not there"),
    ],
)
def test_settings_that_make_no_deployment_cannot_be_asked(
    tmp_path: Path, toml: str | None, said: str
) -> None:
    file = tmp_path / "deploy.toml"
    if toml is not None:
        file.write_text(toml)
    words = ("smoke", "--settings", str(file), "--project", "demo-project")
    assert said in error_of(run(*words))
    result = run(*words, "--json")
    assert (result.exit_code, said in document(result)["error"]) == (2, True)


def test_without_credentials_it_says_how_to_get_some(tmp_path: Path) -> None:
    result = run(
        "smoke", "--project", "demo-project", "--json",
        GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "none.json"), PATH=str(tmp_path),
    )  # fmt: skip
    found = document(result)
    assert (result.exit_code, found["verdict"]) == (2, "could_not_ask")
    assert "gcloud auth application-default login" in found["error"]


def test_nobody_there_is_one_line() -> None:
    with nobody() as address:
        result = run("smoke", "--wait", "0", **variables(address))
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("error: nothing can be published: http://")


def test_the_settings_name_topic_and_service(
    there: StandIn, google: Google, tmp_path: Path
) -> None:
    file = tmp_path / "other.toml"
    file.write_text('project = "p-1"\ntopic = "things"\nservice = "doer"\n')
    google.replies["/v1/projects/p-1/topics/things:publish"] = Reply.json({"messageIds": ["1"]})
    labels = {"service_name": "doer", "revision_name": "doer-1"}
    resource = {"type": "cloud_run_revision", "labels": labels}
    google.log = [entry({"outcome": "done"}, resource=resource)]
    result = smoke(there, "--settings", str(file), "--json")
    assert (result.exit_code, document(result)["service"]) == (0, "doer")


def test_while_another_revision_has_the_traffic_it_publishes_again(
    there: StandIn, google: Google
) -> None:
    google.log = [entry({"outcome": "done", "status": 200})]
    words = ("--wait", "0.5", "--json", "--revision", "feature-worker-00003-new")
    result = run("smoke", *words, **variables(there.address))
    found = document(result)
    assert (result.exit_code, found["broken"]["rung"]) == (1, "revision")
    assert "--to-revisions=feature-worker-00003-new=100" in found["broken"]["fix"][1]
    assert sum(call.path == TOPIC for call in there.calls) == 3  # at 0, 0.2 and 0.6 seconds


def url_words(there: StandIn, *words: str) -> tuple[str, ...]:
    return ("--url", f"{there.url}/", "--json", *words)


@pytest.mark.parametrize(
    ("reply", "rung"),
    [
        (Reply(404), "endpoint_url"),
        (Reply(403, b"<html>Forbidden"), "iam"),
        (Reply(401, b"<html>Unauthorized"), "token"),
        (Reply(429, b"Rate exceeded."), "nacks"),
        (Reply(503, b"<html>"), "nacks"),
        (Reply(200, b"hello"), "log_sink"),
    ],
)
def test_the_answer_of_a_url_says_what_is_broken(
    there: StandIn, google: Google, reply: Reply, rung: str
) -> None:
    google.replies["/"] = reply
    result = smoke(there, *url_words(there))
    assert (result.exit_code, document(result)["broken"]["rung"]) == (1, rung)


def test_a_url_in_the_clear_gets_no_token(there: StandIn) -> None:
    found = document(smoke(there, "--url", "http://worker.example/", "--json"))
    assert (found["verdict"], "https" in found["error"]) == ("could_not_ask", True)
    assert there.calls == []


@pytest.mark.parametrize("url", ["worker", "ftp://x/", "http://a b/"])
def test_a_url_that_is_none_cannot_be_asked(there: StandIn, url: str) -> None:
    found = document(smoke(there, "--url", url, "--json"))
    assert (found["verdict"], "--url wants an address" in found["error"]) == ("could_not_ask", True)


def test_no_leave_to_make_a_token_names_the_role(there: StandIn) -> None:
    found = document(smoke(there, *url_words(there, "--audience", "https://a.example")))
    assert found["verdict"] == "could_not_ask"
    assert "roles/iam.serviceAccountTokenCreator" in found["error"]
    assert "feature-worker-push@demo-project.iam.gserviceaccount.com" in found["error"]


def test_the_token_is_sent_and_never_shown(there: StandIn, google: Google) -> None:
    account = "other@demo-project.iam.gserviceaccount.com"
    path = f"/v1/projects/-/serviceAccounts/{account}:generateIdToken"
    google.replies[path] = Reply.json({"token": SECRET})
    google.replies["/"] = Reply.json({"outcome": "refused", "reason": "refused"}, 401)
    words = url_words(there, "--audience", "https://a.example", "--as", account)
    result = smoke(there, *words)
    assert document(result)["broken"]["rung"] == "token"
    (push,) = [call for call in there.calls if call.path == "/"]
    assert push.headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in result.output
    assert SECRET not in smoke(there, *(word for word in words if word != "--json")).output


def test_a_terminal_shows_one_line_that_is_gone_in_the_end() -> None:
    screen, slept = Screen(), list[float]()
    with progress(screen, quiet=False) as shown:
        shown.say("published 1: waiting\x1b[2J")
        shown.sleep(0.5, slept.append)
    text = screen.getvalue()
    assert text.count("waiting") == 3  # drawn at once, and after each fifth of a second
    assert "\n" not in text
    assert "\x1b[2J" not in text
    assert text.endswith("\r\x1b[K")
    assert sum(slept) == pytest.approx(0.5)


def test_a_line_longer_than_the_terminal_is_cut() -> None:
    screen = Screen()
    Progress(screen, quiet=False).say("x" * 200)
    assert len(screen.getvalue().removeprefix("\r\x1b[K")) == 79


def test_elsewhere_each_stage_is_a_line_and_quiet_is_quiet() -> None:
    stream = StringIO()
    with progress(stream, quiet=False) as shown:
        shown.say("one")
        shown.sleep(0.0, lambda _: None)
    assert stream.getvalue() == "one\n"
    with progress(stream, quiet=True) as shown:
        shown.say("two")
    assert stream.getvalue() == "one\n"


class Screen(StringIO):
    def isatty(self) -> bool:
        return True


def on_a_terminal(there: StandIn, **more: str) -> bytes:
    """What the command writes where stdout is a terminal."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "worker", "smoke", "--wait", "0"]
    environment = {"PATH": os.environ["PATH"], **variables(there.address), **more}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=theirs, stderr=theirs
    ) as child:
        os.close(theirs)
        written = b""
        while select.select([ours], [], [], WAIT_SECONDS)[0]:
            try:
                some = os.read(ours, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
            if not some:
                break
            written += some
        child.wait(WAIT_SECONDS)
    os.close(ours)
    return written


@pytest.mark.skipif(sys.platform != "linux", reason="a terminal of Linux")
def test_colours_are_for_terminals_that_want_them(there: StandIn, google: Google) -> None:
    google.log = [entry({"outcome": "done", "status": 200})]
    assert b"\x1b[32m\x1b[1mproved\x1b[0m" in on_a_terminal(there)
    assert b"\x1b[32m" not in on_a_terminal(there, NO_COLOR="1")


@pytest.mark.parametrize("words", [(), ("--json",)])
def test_ctrl_c_ends_it_without_half_a_word(
    there: StandIn, google: Google, words: tuple[str, ...]
) -> None:
    command = [sys.executable, "-m", "worker", "smoke", "--wait", "60", *words]
    environment = {"PATH": os.environ["PATH"], **variables(there.address)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        try:
            assert google.asked.wait(WAIT_SECONDS)
            child.send_signal(signal.SIGINT)
            stdout, stderr = child.communicate(timeout=WAIT_SECONDS)
        finally:
            child.kill()
    assert (child.returncode, stdout) == (130, b"")
    assert b"Traceback" not in stderr
