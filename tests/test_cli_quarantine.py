"""`python -m worker quarantine ...` at a folder, in this process. Signals are tested elsewhere."""

import base64
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from tests.support.cli import error_of, nobody, run
from tests.support.desk import reject, reject_push
from tests.support.logging_api import LoggingApi
from tests.support.pushes import PUBLISHED, SUBSCRIPTION, push_of
from tests.support.server import ROOT
from tests.support.standin import Call, Reply, StandIn
from worker.cli import main
from worker.logging_client import ENDPOINT_VARIABLE
from worker.quarantine.folder import FolderQuarantine

MENDED = {"feature": "smoke_test", "description": "\x1b[2J", "requirements": {"nonce": "n-1"}}
TYPO = {"feature": "smoke_test", "requirements": {"nonse": "n-1"}}
UNKNOWN = {"feature": "smok_test"}
DONE = Reply.json({"outcome": "done", "message_id": "1", "reason": "handled by smoke_test"})
REJECTED = Reply.json({"outcome": "rejected", "message_id": "1", "reason": "never"})
SECRET = "s3cr3t-value"  # must never be shown
NAMES = ("list", "show", "check", "replay", "drop")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default place is a folder of the current one."""
    (tmp_path / "handlers").symlink_to(ROOT / "handlers")
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def kept(tmp_path: Path) -> FolderQuarantine:
    return FolderQuarantine(tmp_path / "quarantine")


@pytest.fixture
def mixed(kept: FolderQuarantine) -> FolderQuarantine:
    """Three that pass now, two that do not, one that is none."""
    for number in ("1", "2", "3"):
        reject(kept, MENDED, number, {"evil": "\x1b[2J\n"})
    reject(kept, TYPO, "4", delivery_attempt=4)
    reject_push(kept, push_of(b'{"message": "\x9b"}', {"x-evil": "\x1b[2J"}))
    Path("quarantine/notes.txt").write_bytes(b"\x1b[2J")
    return kept


def desk(*words: str, code: int = 0, **environment: Any) -> str:
    """What the command prints; nothing of it can move a cursor."""
    result = run("quarantine", *words, **environment)
    assert result.exit_code == code, result.output
    assert result.stderr == ""
    assert all(line.isprintable() for line in result.stdout.splitlines())
    return result.stdout


def asked(*words: str, code: int = 0) -> Any:
    return json.loads(desk(*words, "--json", code=code))


def ids() -> list[str]:
    """The ids of the messages, as `list` has them."""
    return sorted(one for group in asked("list")["groups"] for one in group["ids"])


def id_of(message_id: str) -> str:
    return next(one for one in ids() if asked("show", one)["message_id"] == message_id)


def failed(*words: str, **environment: Any) -> str:
    return error_of(run("quarantine", *words, **environment))


def replay(there: StandIn, *words: str, code: int = 0) -> str:
    return desk("replay", *words, "--to", there.url, "--rate", "1000", "--yes", code=code)


def audit(name: str = "quarantine/audit.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(name).read_text().splitlines()]


@pytest.fixture
def worker() -> Iterator[StandIn]:
    """A worker that is done with everything."""
    with StandIn(lambda _call: DONE) as running:
        yield running


# Where


def test_the_default_place_is_that_of_the_worker(mixed: FolderQuarantine, tmp_path: Path) -> None:
    assert desk("list").endswith("6 messages in folder:quarantine\n")
    assert desk("list", QUARANTINE=f"folder:{tmp_path}/quarantine").count("notes") == 0
    assert "6 messages" in desk("list", QUARANTINE=f"folder:{tmp_path}/quarantine")
    assert "6 messages" in desk("list", "--from", "folder:quarantine", QUARANTINE="none")


def test_a_folder_that_is_not_there_holds_nothing() -> None:
    assert desk("list") == "0 messages in folder:quarantine\n"
    assert desk("check") == "0 of 0 would pass now\n"


@pytest.mark.parametrize("name", ["list", "check"])
@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("topic:projects/demo/topics/quarantine", "--from projects/P/subscriptions/S"),
        ("projects/demo/topics/quarantine", "want folder:PATH or projects/P/subscriptions/S"),
        ("none", "QUARANTINE=none holds nothing"),
        ("folder:", "want folder:PATH"),
        ("quarantine", "want folder:PATH"),
        ("projects/demo/subscriptions/a?b=c", "want folder:PATH"),
        ("", "want folder:PATH"),
        ("folder:handlers/__init__.py", "Not a directory"),
    ],
)
def test_a_place_that_is_none_is_one_line(name: str, place: str, why: str) -> None:
    assert why in failed(name, "--from", place)


def test_a_quarantine_that_the_desk_cannot_read_says_what_to_give() -> None:
    assert "--from projects/P/subscriptions/S" in failed(
        "list", QUARANTINE="topic:projects/demo/topics/quarantine"
    )
    assert "give --from" in failed("list", QUARANTINE="none")
    assert "QUARANTINE is 'x'" in failed("list", QUARANTINE="x")


def test_a_subscription_that_cannot_be_reached_is_one_line() -> None:
    with nobody() as address:
        said = failed(
            "list", "--from", "projects/demo/subscriptions/dead", PUBSUB_EMULATOR_HOST=address
        )
    assert said.startswith("cannot pull from projects/demo/subscriptions/dead: ")


# list


def test_the_list_is_by_reason_and_feature(mixed: FolderQuarantine) -> None:
    head, *lines, total = desk("list").splitlines()
    assert head.split("  ")[0] == "COUNT"
    assert [line.split()[0] for line in lines] == ["4", "1", "1"]
    assert lines[0].split()[1] == "1-4"
    assert "smoke_test  no handler is registered for smoke_test" in lines[0]
    assert total == "6 messages in folder:quarantine"


def test_the_list_tells_since_when(kept: FolderQuarantine) -> None:
    for number in ("1", "2"):
        reject(kept, TYPO, number, delivery_attempt=int(number) * 2)
    first, last = sorted(Path("quarantine").iterdir())
    for file, time in ((first, "2026-01-01T00:00:00+01:00"), (last, "2026-01-02T00:00:00+00:00")):
        file.write_text(json.dumps({**json.loads(file.read_text()), "time": time}))
    (group,) = asked("list")["groups"]
    assert group["first_seen"].startswith("2025-12-31T23:00:00")
    assert group["last_seen"].startswith("2026-01-02T00:00:00")
    assert group["attempts"] == 4
    assert "2-4       2025-12-31 23:00:00Z  2026-01-02 00:00:00Z  smoke_test" in desk("list")


def test_whatever_a_reason_holds_the_list_stays_a_list(kept: FolderQuarantine) -> None:
    reject(kept, TYPO)
    (file,) = Path("quarantine").iterdir()
    evil = {"reason": "\x1b[2J\n\u202e", "feature": "\r\x9b"}
    file.write_text(json.dumps({**json.loads(file.read_text()), **evil}))
    assert desk("list").splitlines()[1].split()[-2:] == [r"\r\x9b", r"\x1b[2J\n\u202e"]
    assert r"\r\x9b" in desk("check", code=1)


def test_signals_do_afterwards_what_they_did_before() -> None:
    before = signal.getsignal(signal.SIGTERM)
    desk("list")
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_list_gives_ids_when_asked(mixed: FolderQuarantine) -> None:
    assert "sha256-" not in desk("list")
    shown = desk("list", "--ids")
    assert all(one in shown for one in ids())
    assert "message 1" in shown


def test_a_limit_is_kept_and_told(mixed: FolderQuarantine) -> None:
    shown = desk("list", "--limit", "2")
    assert shown.endswith(
        "2 messages in folder:quarantine (there may be more in folder:quarantine: give --limit)\n"
    )
    assert asked("list", "--limit", "2")["cut"] is True
    assert asked("list")["cut"] is False


# show


def test_a_message_is_shown_with_all_there_is(mixed: FolderQuarantine) -> None:
    found = asked("show", id_of("4"))
    assert found["payload"] == TYPO
    assert json.loads(base64.b64decode(found["data"])) == TYPO
    assert found["reason"].startswith("no handler is registered for smoke_test")
    assert (found["message_id"], found["subscription"]) == ("4", SUBSCRIPTION)
    assert (found["attempts"], found["replays"]) == (4, 0)
    assert found["headers"] == {"content-type": "application/json"}
    text = desk("show", id_of("1"))
    assert r"  evil: \x1b[2J\n" in text
    assert '    "nonce": "n-1"' in text
    assert r'  "description": "\u001b[2J"' in text


def test_an_id_may_be_as_short_as_it_is_clear(mixed: FolderQuarantine) -> None:
    whole = id_of("4")
    others = [one for one in ids() if one != whole]
    short = next(
        whole[:n] for n in range(8, 40) if not any(o.startswith(whole[:n]) for o in others)
    )
    assert asked("show", short)["id"] == whole
    assert asked("show", short.removeprefix("sha256-"))["id"] == whole
    Path(f"quarantine/{whole} copy.json").write_bytes(b"{}")
    assert asked("show", whole)["id"] == whole
    Path(f"quarantine/{whole} copy.json").unlink()
    assert "may be 6 messages: sha256-" in failed("show", "sha256-")
    assert failed("show", "zz\x1b") == r"there is no message zz\x1b in folder:quarantine"
    assert failed("show", "zz", "--limit", "2").endswith("among the first 2 (give --limit)")


def test_the_query_finds_the_entries_of_a_message(mixed: FolderQuarantine) -> None:
    found = asked("show", id_of("4"), "--service", "other")
    assert found["logs_query"].splitlines() == [
        'resource.type="cloud_run_revision"',
        'resource.labels.service_name="other"',
        'jsonPayload.message_id="4"',
        f'timestamp>="{PUBLISHED[:11]}19:15:09Z"',
    ]
    assert found["logs_link"].endswith("?project=demo")
    assert (
        "--project=other-project"
        in asked("show", id_of("4"), "--project", "other-project")["gcloud_logging_read"]
    )


def test_the_query_of_what_has_no_message_id_is_by_its_quarantine_id(
    kept: FolderQuarantine,
) -> None:
    reject_push(kept, push_of(b'{"message": 1}'))
    (one,) = ids()
    found = asked("show", one)
    assert f'jsonPayload.quarantine_id="{one}"' in found["logs_query"]
    assert found["kind"] == "bad_envelope"
    assert found["problem"].startswith("bad envelope: ")
    assert "logs_link" not in found  # nobody knows the project


def test_what_could_not_be_read_then_is_not_in_the_log_by_its_message_id(
    kept: FolderQuarantine,
) -> None:
    reject(kept, TYPO)
    (file,) = Path("quarantine").iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), "kind": "bad_envelope"}))
    assert f'jsonPayload.quarantine_id="{file.stem}"' in asked("show", file.stem)["logs_query"]


def test_something_else_is_shown_as_it_is(mixed: FolderQuarantine) -> None:
    (other,) = [one for one in (asked("show", each) for each in ids()) if one["foreign"]]
    assert other["reason"] == "not a record of the quarantine: not JSON"
    assert base64.b64decode(other["data"]) == b"\x1b[2J"
    assert "logs_query" not in other


def test_a_large_payload_is_cut_for_people_only(kept: FolderQuarantine) -> None:
    reject(kept, {"feature": "none_such", "description": "x" * 100_000})
    (one,) = ids()
    assert len(desk("show", one)) < 70_000
    assert "(--json has all of it)" in desk("show", one)
    assert len(asked("show", one)["payload"]["description"]) == 100_000


# check


def test_check_says_how_many_would_pass(mixed: FolderQuarantine) -> None:
    first, *rest = desk("check", code=1).splitlines()
    assert first == "3 of 6 would pass now"
    assert any("smoke_test  bad payload: requirements.nonse: unknown field" in one for one in rest)
    found = asked("check", code=1)
    assert found["checked"] == 6
    assert len(found["pass"]) == 3
    assert sorted(one for group in found["fail"] for one in group["ids"]) == sorted(
        set(ids()) - set(found["pass"])
    )
    shown = desk("check", "--ids", code=1)
    assert all(one in shown for one in ids())


def test_check_ends_well_when_all_would_pass(kept: FolderQuarantine) -> None:
    reject(kept, MENDED)
    assert desk("check") == "1 of 1 would pass now\n"


def test_check_goes_by_the_handlers_that_are_named(kept: FolderQuarantine) -> None:
    reject(kept, MENDED)
    result = run("quarantine", "check", HANDLERS="json")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (1, "0 of 1 would pass now")
    assert "cannot import none_such" in failed("check", HANDLERS="none_such")


def test_check_says_which_of_them_only_their_handler_can_judge(kept: FolderQuarantine) -> None:
    reject(kept, MENDED, "1")
    (file,) = Path("quarantine").iterdir()
    file.write_text(json.dumps({**json.loads(file.read_text()), "kind": "handler"}))
    assert desk("check").splitlines()[1].startswith("1 of these may fail again in")
    assert asked("check")["doubtful"] == ids()


# replay


def test_without_yes_nothing_is_sent_and_the_next_command_is_printed(
    mixed: FolderQuarantine, worker: StandIn
) -> None:
    shown = desk("replay", "--all", "--to", worker.url, "--limit", "50", "--audit", "it's.jsonl")
    assert worker.calls == []
    assert len(ids()) == 6
    assert not Path("it's.jsonl").exists()
    assert shown.count("replay 1 of 3") == 3
    assert "nothing was sent; 3 would be" in shown
    assert "not among these: 3 that would be rejected again" in shown
    command = next(line for line in shown.splitlines() if line.startswith("  python -m worker "))
    script = command.replace("python", sys.executable, 1)
    done = subprocess.run(
        ["bash", "-c", script], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(worker.calls) == 3
    assert len(ids()) == 3
    assert len(audit("it's.jsonl")) == 3


def test_a_token_is_sent_and_never_shown(mixed: FolderQuarantine, worker: StandIn) -> None:
    words = ("replay", id_of("1"), "--to", worker.url, "--token", f" {SECRET}\n")
    shown = desk(*words)
    assert SECRET not in shown
    assert '--token "$(gcloud auth print-identity-token)" --yes' in shown
    desk(*words, "--yes")
    assert worker.calls[0].headers["authorization"] == f"Bearer {SECRET}"


def test_a_worker_gets_what_it_got_first(mixed: FolderQuarantine, worker: StandIn) -> None:
    replay(worker, id_of("2"))
    (call,) = worker.calls
    body = call.json()
    assert body["subscription"] == SUBSCRIPTION
    message = body["message"]
    assert message["messageId"] == "2"
    assert message["publishTime"] == PUBLISHED
    assert message["attributes"] == {"evil": "\x1b[2J\n", "replay_count": "1"}
    assert json.loads(base64.b64decode(message["data"])) == MENDED


def test_all_that_pass_are_replayed_and_the_rest_stays(
    mixed: FolderQuarantine, worker: StandIn
) -> None:
    shown = replay(worker, "--all")
    assert "replayed 3 of 3\n" in shown
    assert [line.split()[0] for line in shown.splitlines()[:3]] == ["1/3", "2/3", "3/3"]
    assert len(ids()) == 3
    assert [entry["answer"] for entry in audit()] == ["done (200): handled by smoke_test"] * 3
    assert "replayed 0 of 0\n" in replay(worker, "--all")


def test_the_oldest_goes_first(kept: FolderQuarantine, worker: StandIn) -> None:
    for number, hour in (("1", "12"), ("2", "11"), ("3", "13")):
        time = f"2026-11-21T{hour}:00:00Z"
        reject(
            kept,
            MENDED,
            number,
            message={
                "messageId": number,
                "data": base64.b64encode(json.dumps(MENDED).encode()).decode(),
                "publishTime": time,
            },
        )
    replay(worker, "--all")
    assert [call.json()["message"]["messageId"] for call in worker.calls] == ["2", "1", "3"]


def test_one_that_would_not_pass_is_sent_when_it_is_named(
    mixed: FolderQuarantine, worker: StandIn
) -> None:
    shown = desk("replay", id_of("4"), "--to", worker.url)
    assert "would be rejected again: bad payload: requirements.nonse: unknown field" in shown
    replay(worker, id_of("4"))
    assert len(worker.calls) == 1


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (REJECTED, "rejected (200): never"),
        (Reply(500, REJECTED.body), "rejected (500): never"),
        (Reply.json({"outcome": "retry", "reason": "later"}, 503), "retry (503): later"),
        (Reply.json({"outcome": "done"}, 503), "done (503)"),
        (Reply(200, b"<html>Sign in</html>"), "not the answer of a worker (200)"),
        (Reply(204), "not the answer of a worker (204)"),
        (Reply(413), "not the answer of a worker (413)"),
    ],
)
def test_what_is_not_handled_stays(kept: FolderQuarantine, reply: Reply, answer: str) -> None:
    reject(kept, MENDED)
    with StandIn(lambda _call: reply) as there:
        shown = replay(there, "--all", code=1)
    assert answer in shown
    assert "replayed 0 of 1; 1 stay in folder:quarantine" in shown
    assert len(ids()) == 1
    assert [entry["removed"] for entry in audit()] == [False]


def test_a_duplicate_was_handled(kept: FolderQuarantine) -> None:
    reject(kept, MENDED)
    with StandIn(lambda _call: Reply.json({"outcome": "duplicate"})) as there:
        replay(there, "--all")
    assert ids() == []


def test_what_was_replayed_too_often_is_refused(kept: FolderQuarantine) -> None:
    reject(kept, MENDED)
    with StandIn(lambda _call: REJECTED) as there:
        for _ in range(3):
            replay(there, "--all", code=1)
        record = json.loads(Path(f"quarantine/{ids()[0]}.json").read_text())
        assert record["replay_count"] == 3
        shown = replay(there, "--all", code=1)
        assert "refused: replayed 3 times already" in shown
        assert len(there.calls) == 3
        dry = desk("replay", "--all", "--to", there.url, code=1)
        assert "refused: replayed 3 times already" in dry
        assert "to send them" not in dry
        replay(there, "--all", "--max-replays", "4", code=1)
        assert len(there.calls) == 4


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "--token"), (403, "run.invoker"), (404, "--to"), (302, "--to")]
)
def test_a_worker_that_takes_nothing_ends_it_at_once(
    mixed: FolderQuarantine, status: int, advice: str
) -> None:
    with StandIn(lambda _call: Reply(status)) as there:
        result = run("quarantine", "replay", "--all", "--to", there.url, "--yes")
    assert result.exit_code == 2
    assert f"answered {status}: " in result.stderr
    assert advice in result.stderr
    assert result.stderr.count("\n") == 1
    assert "--url" not in result.stderr
    assert "replayed 0 of 3; 3 were not looked at: repeat the command" in result.stdout
    assert len(there.calls) == 1
    assert len(ids()) == 6


def test_a_message_that_pubsub_does_not_take_stays_and_the_others_go(
    mixed: FolderQuarantine,
) -> None:
    def answer(call: Call) -> Reply:
        if len(there.calls) == 2:
            return Reply.error(400, "Request payload size exceeds the limit")
        return Reply.json({"messageIds": ["99"]})

    topic = "projects/demo/topics/features"
    with StandIn(answer) as there:
        words = ("replay", "--all", "--to", topic, "--yes", "--rate", "1000")
        shown = desk(*words, code=1, PUBSUB_EMULATOR_HOST=there.address)
    assert shown.count("published as 99") == 2
    assert "not taken: Pub/Sub answered 400: Request payload size exceeds the limit" in shown
    assert len(ids()) == 4


def test_nobody_there_is_one_line_and_everything_stays(mixed: FolderQuarantine) -> None:
    with nobody() as address:
        result = run("quarantine", "replay", "--all", "--to", f"http://{address}", "--yes")
    assert result.exit_code == 2
    assert "nobody listens there" in result.stderr
    assert "--url" not in result.stderr
    assert len(ids()) == 6


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "Missing option '--to'"),
        (("--to", "http://127.0.0.1:1"), "give one ID or more, or --all"),
        (("--to", "http://127.0.0.1:1", "--all", "1"), "give one ID or more, or --all"),
        (("--to", "http://", "--all"), "--to wants an address"),
        (("--to", "features", "--all"), "--to wants projects/P/topics/T"),
        (("--to", "projects/demo/subscriptions/features", "--all"), "--to wants projects/P/topics"),
        (("--to", "projects/demo/topics/features", "--all", "--token", "x"), "--token is for"),
        (("--to", "http://127.0.0.1:1", "--all", "--token", " "), "--token is empty"),
        (("--to", "http://127.0.0.1:1", "--all", "--rate", "0"), "--rate"),
        (("--to", "http://127.0.0.1:1", "--all", "--max-replays", "0"), "--max-replays"),
        (("--to", "http://127.0.0.1:1", "--yes", "none"), "there is no message none"),
    ],
)
def test_what_cannot_be_replayed_is_one_line(words: tuple[str, ...], why: str) -> None:
    assert why in failed("replay", *words)


# drop


def test_a_drop_needs_a_yes(mixed: FolderQuarantine) -> None:
    assert failed("drop", "--all") == (
        "5 would be dropped for good, and nobody is there to ask: give --yes"
    )
    assert len(ids()) == 6
    assert not Path("quarantine/audit.jsonl").exists()


def test_one_is_dropped_and_written_down(mixed: FolderQuarantine) -> None:
    gone = id_of("4")
    assert "dropped 1 of 1" in desk("drop", gone, "--yes")
    assert gone not in ids()
    assert len(ids()) == 5
    (entry,) = audit()
    assert (entry["event"], entry["quarantine_id"]) == ("quarantine.dropped", gone)


def test_all_are_dropped_but_what_is_no_message(mixed: FolderQuarantine) -> None:
    shown = desk("drop", "--all", "--yes")
    assert "dropped 5 of 5" in shown
    assert "1 that are no quarantined messages stay: drop them by their ID" in shown
    assert Path("quarantine/notes.txt").exists()
    desk("drop", *ids(), "--yes")
    assert not Path("quarantine/notes.txt").exists()


def test_nothing_is_dropped_when_one_of_the_ids_is_wrong(mixed: FolderQuarantine) -> None:
    assert "there is no message zz" in failed("drop", id_of("4"), "zz", "--yes")
    assert "give one ID or more, or --all" in failed("drop", "--yes")
    assert len(ids()) == 6


# Cloud Logging


def test_with_log_sink_api_cloud_logging_has_the_entries_too(
    mixed: FolderQuarantine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with LoggingApi() as api:
        monkeypatch.setenv(ENDPOINT_VARIABLE, api.url)
        desk("drop", id_of("4"), "--yes", LOG_SINK="api", GOOGLE_CLOUD_PROJECT="demo")
        (entry,) = api.entries
    assert entry["jsonPayload"]["event"] == "quarantine.dropped"
    assert entry["jsonPayload"]["quarantine_id"] == audit()[0]["quarantine_id"]


# help


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command_says_what_it_does_and_shows_an_example(name: str) -> None:
    result = run("quarantine", name, "--help")
    assert f"Example: python -m worker quarantine {name}" in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 88
    group = main.get_command(click.Context(main), "quarantine")
    assert isinstance(group, click.Group)
    command = group.get_command(click.Context(group), name)
    assert command is not None
    options = [one for one in command.params if isinstance(one, click.Option)]
    assert [one.name for one in options if not one.help] == []


def test_the_help_lists_every_command() -> None:
    listed = run("quarantine", "--help").stdout.partition("Commands:")[2].splitlines()
    assert tuple(line.split()[0] for line in listed if line.strip()) == NAMES


def test_an_unknown_command_is_one_line() -> None:
    assert "lst" in failed("lst")
