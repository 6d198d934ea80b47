"""`python -m worker publish`, against a stand-in for Pub/Sub. The emulator has tests of its own."""

import base64
import json
import os
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from click.testing import Result

from tests.support.cli import error_of, nobody, run
from tests.support.standin import Reply, StandIn
from worker.client.gcloud import attribute_flag, publish_command
from worker.client.text import printable, quote
from worker.message import PubsubMessage

TOPIC = "projects/demo-project/topics/features"
SECRET = "s3cr3t-value"  # must never be in an error
NASTY = "it's\n\x1b[2J \\ $HOME `id` \N{SNOWMAN}"


def confirming(message_id: str = "4711") -> StandIn:
    return StandIn(lambda _call: Reply.json({"messageIds": [message_id]}))


def publish(there: StandIn, *words: str, GOOGLE_CLOUD_PROJECT: str | None = None) -> Result:  # noqa: N803 - the variable's name
    return run(
        "publish", *words,
        PUBSUB_EMULATOR_HOST=there.address, GOOGLE_CLOUD_PROJECT=GOOGLE_CLOUD_PROJECT,
    )  # fmt: skip


def published(*words: str, **more: str) -> dict[str, Any]:
    """What `--json` prints."""
    with confirming() as there:
        result = publish(there, *words, "--json", **more)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def message_of(there: StandIn) -> dict[str, Any]:
    """The message that Pub/Sub was sent last, its data decoded."""
    (message,) = there.calls[-1].json()["messages"]
    return {**message, "data": base64.b64decode(message["data"])}


def test_the_message_is_published_with_everything_that_was_given() -> None:
    with confirming() as there:
        result = publish(
            there, TOPIC, "--feature", "smoke_test", "--description", "hi",
            "--attribute", "a=b=c", "--attribute", "d=e,f", "--ordering-key", "k",
        )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert there.calls[0].path == f"/v1/{TOPIC}:publish"
    message = message_of(there)
    assert json.loads(message["data"]) == {"feature": "smoke_test", "description": "hi"}
    assert message["attributes"] == {"a": "b=c", "d": "e,f"}
    assert message["orderingKey"] == "k"


@pytest.mark.parametrize("payload", [b"", b"{", b"\xff\x00"])
def test_a_broken_payload_is_published_as_it_is(payload: bytes, tmp_path: Path) -> None:
    file = tmp_path / "payload"
    file.write_bytes(payload)
    with confirming() as there:
        assert publish(there, TOPIC, f"@{file}", "--attribute", "a=b").exit_code == 0
    assert message_of(there)["data"] == payload


def test_the_project_of_a_plain_name_is_the_option_or_the_variable() -> None:
    assert published("features", "{}", "--project", "demo-project")["topic"] == TOPIC
    assert published("features", "{}", GOOGLE_CLOUD_PROJECT="demo-project")["topic"] == TOPIC
    found = published("features", "{}", "--project", "demo", GOOGLE_CLOUD_PROJECT="other")
    assert found["topic"] == "projects/demo/topics/features"


def test_a_full_name_says_the_project_itself_and_the_option_that_of_the_logs() -> None:
    found = published(TOPIC, "{}", GOOGLE_CLOUD_PROJECT="other-project")
    assert found["topic"] == TOPIC
    assert found["logs_link"].endswith("?project=demo-project")
    found = published(TOPIC, "{}", "--project", "runs-there")
    assert found["topic"] == TOPIC
    assert found["logs_link"].endswith("?project=runs-there")
    assert "--project=runs-there" in found["gcloud_logging_read"]
    assert "--project=demo-project" in found["gcloud_publish"]


def test_the_query_finds_the_entries_of_this_message() -> None:
    before = datetime.now(UTC)
    resource, service, message_id, since = published(TOPIC, "{}")["logs_query"].splitlines()
    assert resource == 'resource.type="cloud_run_revision"'
    assert service == 'resource.labels.service_name="feature-worker"'
    assert message_id == 'jsonPayload.message_id="4711"'
    name, _, text = since.partition(">=")
    assert name == "timestamp"
    start = datetime.fromisoformat(json.loads(text))
    assert timedelta(minutes=4) < before - start < timedelta(minutes=6)


def test_the_service_can_be_named() -> None:
    query = published(TOPIC, "{}", "--service", "other-worker")["logs_query"]
    assert 'resource.labels.service_name="other-worker"' in query


def test_the_link_opens_logs_explorer_with_the_query() -> None:
    found = published(TOPIC, "{}")
    address, _, rest = found["logs_link"].partition(";query=")
    query, _, project = rest.partition("?project=")
    assert address == "https://console.cloud.google.com/logs/query"
    assert unquote(query) == found["logs_query"]
    assert not set(query) & set('"=<>;?/\n ')
    assert project == "demo-project"


def test_gcloud_logging_read_asks_the_same_question() -> None:
    found = published(TOPIC, "{}")
    words = shlex.split(found["gcloud_logging_read"])
    assert words[:3] == ["gcloud", "logging", "read"]
    assert words[3].split(" AND ") == found["logs_query"].splitlines()
    assert words[4:] == ["--project=demo-project", "--format=json"]


def test_people_get_every_part_of_it_to_copy() -> None:
    with confirming() as there:
        text = publish(there, TOPIC, "{}").stdout
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == f"published 4711 to {TOPIC}"
    assert 'jsonPayload.message_id="4711"' in lines
    assert any(
        line.startswith("https://console.cloud.google.com/logs/query;query=") for line in lines
    )
    assert any(line.startswith("gcloud logging read '") for line in lines)
    assert any("gcloud pubsub topics publish features" in line for line in lines)


def test_an_id_from_the_other_side_stays_a_string_and_on_its_line() -> None:
    with confirming('x" OR "\x1b[2J\n') as there:
        text = publish(there, TOPIC, "{}").stdout
    assert text.splitlines()[0] == rf'published x" OR "\x1b[2J\n to {TOPIC}'
    assert r'jsonPayload.message_id="x\" OR \"\u001b[2J\n"' in text
    assert "\x1b" not in text


def without_emulator(content: PubsubMessage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    return shlex.split(publish_command(TOPIC, content))


def test_the_gcloud_command_is_the_documented_one(monkeypatch: pytest.MonkeyPatch) -> None:
    message = PubsubMessage(b'{"a": "it\'s"}', {"a": "1", "b": "2"}, "k")
    assert without_emulator(message, monkeypatch) == [
        "gcloud", "pubsub", "topics", "publish", "features", "--project=demo-project",
        '--message={"a": "it\'s"}', "--attribute=a=1,b=2", "--ordering-key=k",
    ]  # fmt: skip
    assert without_emulator(PubsubMessage(b""), monkeypatch)[5:] == ["--project=demo-project"]


def test_gcloud_is_pointed_at_the_emulator_that_it_would_ignore() -> None:
    with confirming() as there:
        found = json.loads(publish(there, TOPIC, "{}", "--json").stdout)
    assert shlex.split(found["gcloud_publish"])[:2] == [
        f"CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB=http://{there.address}/",
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS=true",
    ]


@pytest.mark.parametrize("data", [b"\xff", b"a\0b"])
def test_what_no_command_line_can_hold_is_said(data: bytes) -> None:
    assert publish_command(TOPIC, PubsubMessage(data, {}, "")).startswith("# gcloud cannot: ")


def read_by_gcloud(flag: str) -> dict[str, str]:
    """gcloud's arg_parsers.ArgDict, for a value that is not empty."""
    delimiter = ","
    if flag.startswith("^") and "^" in flag[1:]:
        delimiter, flag = flag[1:].split("^", 1)
    parts = (flag if flag.endswith(delimiter) else flag + delimiter).split(delimiter)[:-1]
    assert all("=" in part for part in parts), parts
    return {key: value for key, _, value in (part.partition("=") for part in parts)}


@pytest.mark.parametrize(
    "attributes",
    [
        {"a": "1", "b": "2"},
        {"a": "1,2", "b": ""},
        {"a,b": "1"},
        {"a": ",", "b": ":;<>?@ABC"},
        {"^a": "1^2", "b": "2"},
        {"a": "x=y", "b": "^,^"},
        {"a": ""},
        {"a": "".join(map(chr, range(32, 127))), "b": "c,"},
    ],
)
def test_gcloud_reads_back_the_attributes(attributes: dict[str, str]) -> None:
    assert read_by_gcloud(attribute_flag(attributes)) == attributes


def test_the_usual_comma_is_used_while_it_can_be() -> None:
    assert attribute_flag({"a": "1", "b": "2"}) == "a=1,b=2"
    assert attribute_flag({"a": "1,2", "b": "x"}) == "^:^a=1,2:b=x"


@pytest.mark.parametrize(
    "word", ["", "plain", "it's", NASTY, "\\'\x07", "\x1b0", "\N{SNOWMAN}\x85"]
)
def test_a_shell_reads_back_a_quoted_word_that_a_terminal_can_show(word: str) -> None:
    assert quote(word).isprintable()
    script = f"printf %s {quote(word)}"
    assert (
        subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout
        == word.encode()
    )


def test_text_is_shown_on_one_line_and_changes_only_where_it_must() -> None:
    assert printable("a b \N{SNOWMAN}") == "a b \N{SNOWMAN}"
    assert printable("\x1b\n\t\u202e\udcff\x9b") == r"\x1b\n\t\u202e\udcff\x9b"


@pytest.mark.emulator
def test_the_printed_command_makes_real_gcloud_publish_the_same(tmp_path: Path) -> None:
    words = ["--attribute", "a=1,2", "--attribute", f"b={NASTY}", "--ordering-key", "k e"]
    with confirming() as there:
        result = publish(there, TOPIC, f'{{"text": "{NASTY}"}}', *words, "--json")
        command = json.loads(result.stdout)["gcloud_publish"]
        environment = {"CLOUDSDK_CONFIG": str(tmp_path), "PATH": os.environ["PATH"]}
        subprocess.run(["bash", "-c", command], check=True, env=environment, capture_output=True)
    by_us, by_gcloud = (call.json()["messages"] for call in there.calls)
    assert by_gcloud == by_us
    assert there.calls[0].path == there.calls[1].path.partition("?")[0]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("features", "{}"), "the project is not known"),
        (("features", "{}", "--project", "No Project"), "no project id"),
        (("features", "{}", "--project", "a/b"), "no project id"),
        (("projects//topics/features", "{}"), "the project is not known"),
        (("projects/demo/topics/x/y", "{}"), "TOPIC wants a name"),
        (("projects/demo/subscriptions/features", "{}"), "TOPIC wants a name"),
        (("ab", "{}", "--project", "demo"), "TOPIC is no topic name"),
        (("goog-features", "{}", "--project", "demo"), "TOPIC is no topic name"),
        (("fea tures", "{}", "--project", "demo"), "TOPIC is no topic name"),
        (("features", "{}", "--project", "demo", "--service", 'x"y'), "--service"),
        (("features", "--project", "demo"), "nothing to send"),
        (("features", SECRET, "b", "--project", "demo"), "more than one word"),
        ((), "TOPIC"),
    ],
)
def test_what_cannot_be_published_is_one_line(words: tuple[str, ...], why: str) -> None:
    with confirming() as there:
        said = error_of(publish(there, *words))
    assert why in said
    assert SECRET not in said
    assert there.calls == []


def test_a_refusal_of_pubsub_is_one_line_with_its_reason() -> None:
    said = "Resource not found\n(resource=features)\x1b[2J"
    with StandIn(lambda _call: Reply.error(404, said)) as there:
        shown = error_of(publish(there, TOPIC, SECRET))
    assert shown == r"Pub/Sub answered 404: Resource not found\n(resource=features)\x1b[2J"


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"messageIds": []}'])
def test_an_answer_without_an_id_is_one_line(body: bytes) -> None:
    with StandIn(lambda _call: Reply(200, body)) as there:
        assert SECRET not in error_of(publish(there, TOPIC, SECRET))


def test_nobody_there_is_one_line() -> None:
    with nobody() as address:
        said = error_of(run("publish", TOPIC, SECRET, PUBSUB_EMULATOR_HOST=address))
    assert said.startswith(f"http://{address} cannot be used")
    assert SECRET not in said


def test_without_credentials_it_says_how_to_get_some(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.json")
    said = error_of(run("publish", TOPIC, SECRET, GOOGLE_APPLICATION_CREDENTIALS=missing))
    assert "gcloud auth application-default login" in said
    assert SECRET not in said
