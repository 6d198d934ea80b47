"""`python -m worker push`, against the real server and against others that may be at an address."""

import json
from pathlib import Path

import pytest
from click.testing import Result

from tests.conftest import Serve
from tests.support.cli import error_of, nobody, run
from tests.support.server import ServerProcess
from tests.support.standin import Reply, StandIn
from worker.message import Form
from worker.pipeline import CANONICAL_EVENT

SMOKE_TEST = '{"feature":"smoke_test","description":"verify logs","requirements":"none"}'
SECRET = "s3cr3t-value"  # must never be shown


def answering(status: int = 200, body: bytes = b"{}", **headers: str) -> StandIn:
    return StandIn(lambda _call: Reply(status, body, headers))


def canonical(server: ServerProcess) -> dict[str, object]:
    return server.wait_for(lambda entry: entry.get("event") == CANONICAL_EVENT)


@pytest.mark.server
@pytest.mark.parametrize("form", [form.value for form in Form])
def test_every_form_is_done_and_recognised(serve: Serve, form: str) -> None:
    server = serve()
    result = run("push", SMOKE_TEST, "--url", server.url, "--form", form)
    assert result.exit_code == 0, result.output
    status, outcome, reason, message_id = result.stdout.splitlines()
    assert status.split() == ["status", "200", "(acked)"]
    assert outcome.split() == ["outcome", "done"]
    assert reason.split() == ["reason", "handled", "by", "smoke_test"]
    entry = canonical(server)
    assert (entry["form"], entry["outcome"]) == (form, "done")
    assert entry["message_id"] == message_id.split()[-1]


@pytest.mark.server
def test_the_options_arrive_and_attributes_travel_as_utf8(serve: Serve, tmp_path: Path) -> None:
    server = serve()
    result = run(
        "push", "--feature", "none_such", "--url", server.url, "--form", "unwrapped",
        "--attribute", "tenant=\N{SNOWMAN}=a,b", "--attribute", "tier=1", "--message-id", "id-7",
        "--ordering-key", "key-7", "--subscription", "projects/demo/subscriptions/seven",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "rejected" in result.stdout
    # The quarantine keeps everything that the worker knows of the message.
    kept = json.loads((tmp_path / str(canonical(server)["quarantine"])).read_text())
    assert (kept["message_id"], kept["ordering_key"]) == ("id-7", "key-7")
    assert kept["subscription"] == "projects/demo/subscriptions/seven"
    assert kept["attributes"] == {"tenant": "\N{SNOWMAN}=a,b", "tier": "1"}


@pytest.mark.server
def test_a_delivery_attempt_and_requirements_arrive(serve: Serve) -> None:
    server = serve()
    run(
        "push", "--feature", "smoke_test", "--description", "hello", "--url", server.url,
        "--requirements", '{"nonce": "n-1"}', "--delivery-attempt", "3",
    )  # fmt: skip
    passed = server.wait_for(lambda entry: entry.get("event") == "smoke_test.passed")
    assert (passed["description"], passed["nonce"]) == ("hello", "n-1")
    assert canonical(server)["delivery_attempt"] == 3


@pytest.mark.server
@pytest.mark.parametrize("broken", ["", "{", "[1]", '{"feature": 7}', "\udcff", "NaN"])
def test_a_broken_payload_is_sent_and_its_quarantine_acked(serve: Serve, broken: str) -> None:
    server = serve()
    result = run("push", "--url", server.url, "--", broken)
    assert result.exit_code == 0
    assert "rejected" in result.stdout
    assert canonical(server)["outcome"] == "rejected"


@pytest.mark.server
def test_a_nacked_push_exits_1(serve: Serve) -> None:
    server = serve(QUARANTINE="none")
    result = run("push", "{", "--url", server.url)
    assert result.exit_code == 1
    assert "500 (nacked" in result.stdout
    assert "rejected" in result.stdout
    assert "QUARANTINE=none" in result.stdout


@pytest.mark.server
def test_a_refused_push_says_what_to_do_and_never_shows_the_token(serve: Serve) -> None:
    server = serve(PUSH_AUTH="oidc", PUSH_AUDIENCE="here", PUSH_SERVICE_ACCOUNT="push@example.com")
    result = run("push", SMOKE_TEST, "--url", server.url, "--token", SECRET)
    assert result.exit_code == 1
    assert "refused" in result.stdout
    assert "gcloud auth print-identity-token" in result.stdout
    assert SECRET not in result.output
    assert canonical(server)["outcome"] == "refused"


def sent(*words: str, stdin: bytes | None = None) -> bytes:
    """The data that `push` sends."""
    with answering() as there:
        run("push", *words, "--url", there.url, "--form", "unwrapped", stdin=stdin)
    return there.calls[0].body


def test_the_payload_comes_from_words_stdin_or_a_file_unchanged(tmp_path: Path) -> None:
    file = tmp_path / "payload"
    file.write_bytes(b" {\r\n\xff\0")
    assert sent(f"@{file}") == b" {\r\n\xff\0"
    assert sent("-", stdin=b"\xff\n") == b"\xff\n"
    assert sent('{"a": "\N{SNOWMAN}\udcff"}') == b'{"a": "\xe2\x98\x83\xff"}'


@pytest.mark.parametrize(
    ("requirements", "want"),
    [('{"a": [1]}', {"a": [1]}), ("none", "none"), ("5", 5), ("null", None), ("[" * 9, "[" * 9)],
)
def test_requirements_are_json_or_else_a_string(requirements: str, want: object) -> None:
    payload = json.loads(sent("--feature", "x", "--requirements", requirements))
    assert payload == {"feature": "x", "requirements": want}


def test_options_that_are_not_given_are_not_in_the_payload() -> None:
    assert json.loads(sent("--description", "hi")) == {"description": "hi"}


def test_the_token_is_sent_as_a_bearer_and_not_shown() -> None:
    with answering() as there:
        result = run("push", "{}", "--url", there.url, "--token", f" {SECRET}\n")
    assert there.calls[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in result.output


def test_without_a_token_there_is_no_authorization() -> None:
    with answering() as there:
        run("push", "{}", "--url", there.url)
    assert "authorization" not in there.calls[0].headers


def answered(there: StandIn) -> Result:
    with there:
        return run("push", "{}", "--url", there.url)


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, 0), (201, 0), (202, 0), (204, 0), (203, 1), (206, 1), (304, 1), (400, 1), (503, 1)],
)
def test_the_exit_code_is_pubsubs_idea_of_an_ack(status: int, code: int) -> None:
    body = b"" if status in (204, 304) else b"{}"
    result = answered(answering(status, body))
    assert result.exit_code == code
    assert f"{status} (acked)" in result.stdout or f"{status} (nacked" in result.stdout


def test_a_redirect_is_not_followed() -> None:
    with answering() as target, answering(307, Location=f"{target.url}/") as there:
        result = run("push", "{}", "--url", there.url)
    assert result.exit_code == 1
    assert "redirect" in result.stdout
    assert target.calls == []


def test_the_answer_of_something_else_is_told_from_a_workers() -> None:
    result = answered(answering(403, b"<html>Forbidden"))
    assert result.exit_code == 1
    assert "not the answer of a worker" in result.stdout
    assert "roles/run.invoker" in result.stdout


def test_an_answer_cannot_act_on_the_terminal() -> None:
    said = json.dumps({"outcome": "\x1b[2J", "reason": "a\nb\u202e\udcff"}).encode()
    lines = answered(answering(200, said)).stdout.splitlines()
    assert lines[1].split() == ["outcome", r"\x1b[2J"]
    assert lines[2].split() == ["reason", r"a\nb\u202e\udcff"]


@pytest.mark.parametrize("body", [b"[" * 100_000, b"[]", b'{"outcome": {"a": 1}}', b"\xff"])
def test_any_answer_can_be_shown(body: bytes) -> None:
    assert answered(answering(200, body)).exit_code == 0


def test_the_address_is_that_of_port_unless_it_is_given() -> None:
    with nobody() as address:
        port = address.partition(":")[2]
        assert f"http://127.0.0.1:{port}/" in error_of(run("push", "{}", PORT=port))
    assert "an address such as" in error_of(run("push", "{}", PORT="no-port"))


def test_a_path_in_the_address_is_kept() -> None:
    with answering() as there:
        run("push", "{}", "--url", f"{there.url}/base")
        run("push", "{}", "--url", there.url)
    assert [call.path for call in there.calls] == ["/base", "/"]


def test_a_proxy_is_never_asked_for_this_machine() -> None:
    with answering() as there, nobody() as proxy:
        result = run("push", "{}", "--url", there.url, http_proxy=f"http://{proxy}")
    assert result.exit_code == 0


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1", "ftp://x", "http://", "http://x:y", "http://x:0", "http://a b", "x\ny"]
)
def test_an_address_that_is_none_is_one_line(url: str) -> None:
    assert "--url wants an address such as" in error_of(run("push", "{}", "--url", url))


def test_nobody_there_is_one_line_that_says_what_to_do() -> None:
    with nobody() as address:
        said = error_of(run("push", "{}", "--url", f"http://{address}"))
    assert "nobody listens there" in said
    assert "python -m worker dev" in said


def test_a_password_in_the_address_is_not_taken_nor_shown() -> None:
    said = error_of(run("push", "{}", "--url", f"http://user:{SECRET}@localhost"))
    assert "--url wants" in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "nothing to send"),
        (('{"a":', SECRET), "more than one word"),
        ((SECRET, "--feature", "x"), "give either"),
        ((f"@/nowhere/{SECRET}",), "cannot read the file"),
        (("@nul\0",), "cannot read the file"),
        (("{}", "--attribute", SECRET), "--attribute wants KEY=VALUE"),
        (("{}", "--attribute", f"={SECRET}"), "--attribute wants KEY=VALUE"),
        (("{}", "--form", "none_such"), "wrapped"),
        (("{}", "--delivery-attempt", "soon"), "--delivery-attempt"),
        (("{}", "--token", " "), "--token is empty"),
        (("{}", "--token", f"{SECRET}\nx: y"), "--token: a header cannot carry"),
        (("{}", "--message-id", f"{SECRET}\n", "--form", "unwrapped"), "x-goog-pubsub-message-id"),
        (("{}", "--delivery-attempt", "1", "--form", "unwrapped"), "not carry --delivery-attempt"),
        (
            ("{}", "--attribute", "a=b", "--message-id", "1", "--form", "unwrapped-no-metadata"),
            "does not carry --attribute, --message-id",
        ),
    ],
)
def test_what_cannot_be_asked_is_one_line_without_values(words: tuple[str, ...], why: str) -> None:
    with answering() as there:
        said = error_of(run("push", *words, "--url", there.url))
    assert why in said
    assert SECRET not in said
    assert there.calls == []
