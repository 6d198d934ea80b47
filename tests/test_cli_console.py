"""What `dev` makes of a line of the server's stdout."""

import json
import sys
from typing import Any

import pytest

from tests.support.inprocess import ListSink, make_worker
from tests.support.pushes import push_of, wrapped
from worker import Context, feature
from worker.cli.console import Terminal
from worker.pipeline import process


def shown(line: bytes, capsys: pytest.CaptureFixture[str]) -> str:
    Terminal().line(line)
    return capsys.readouterr().out


def entry(**fields: Any) -> bytes:
    common = {"severity": "INFO", "time": "2026-11-21T19:20:09.017Z", "message": "m", "event": "e"}
    return json.dumps({**common, **fields}).encode() + b"\n"


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def test_an_entry_is_one_line_with_time_severity_event_message_and_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    line = entry(severity="NOTICE", count=3, text="a b", word="ab", none=None, more={"x": [1]})
    assert shown(line, capsys) == (
        '19:20:09.017 NOTICE   e  m  count=3  text="a b"  word=ab  more={"x": [1]}\n'
    )


def test_settings_and_special_fields_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    special = {"logging.googleapis.com/trace": "t", "@type": "x", "serviceContext": {"a": 1}}
    assert shown(entry(PORT="0", **special), capsys) == "19:20:09.017 INFO     e  m\n"


@pytest.mark.parametrize(
    "line", [b"", b"plain text", b"{", b"[1]", b'"x"', b"NaN", b"[" * 100_000, b'{"message": "x"}']
)
def test_a_line_that_is_no_entry_is_shown_as_it_is(
    line: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    assert shown(line + b"\n", capsys) == line.decode() + "\n"


HOSTILE = "\x1b[2J\x1b]0;x\x07\r\n\x9b1m\u202e[bold]:smile:"


@pytest.mark.parametrize("name", ["message", "event", "other", "severity", "time", "stack_trace"])
def test_no_value_can_act_on_the_terminal(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(entry(**{name: HOSTILE}), capsys)
    assert not [c for c in text.replace("\n", "") if not c.isprintable()]
    if name != "stack_trace":
        assert text.count("\n") == 1
    if name not in ("severity", "time"):
        assert r"\x1b[2J" in text
        assert "[bold]:smile:" in text


def test_no_name_nor_plain_line_can_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for line in (entry(**{HOSTILE: 1}), HOSTILE.replace("\n", "").encode(), b"\xff\xfe\n"):
        text = shown(line, capsys)
        assert text.count("\n") == 1
        assert text[:-1].isprintable()


@pytest.mark.parametrize(
    "fields",
    [
        {"time": "never"},
        {"time": 7},
        {"time": "9999-12-31T23:59:59Z"},
        {"time": None, "timestampSeconds": 10**30, "timestampNanos": 0},
        {"time": None, "timestampSeconds": -(10**17), "timestampNanos": 0},
        {"severity": {"a": 1}},
        {"message": None},
        {"message": [1]},
        {"event": 7},
        {"stack_trace": 7},
    ],
)
def test_any_entry_can_be_shown(fields: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(entry(**fields), capsys).count("\n") >= 1


def test_a_long_value_is_cut_with_a_mark(capsys: pytest.CaptureFixture[str]) -> None:
    text = shown(entry(long="x" * 10_000), capsys)
    assert len(text) < 300
    assert text.endswith("x…\n")


def test_a_long_line_is_not_broken_by_us(capsys: pytest.CaptureFixture[str]) -> None:
    assert shown(b"x y " * 500 + b"\n", capsys).count("\n") == 1


@feature("crashes")
def crashes(context: Context) -> None:
    raise ZeroDivisionError("inner\x1b[2J")


def test_a_stack_trace_keeps_its_lines(capsys: pytest.CaptureFixture[str]) -> None:
    sink = ListSink()
    process(make_worker(crashes, sink=sink), push_of(wrapped({"feature": "crashes"})))
    head, *trace = shown(json.dumps(sink.canonical()).encode(), capsys).splitlines()
    assert " ERROR " in head
    assert "message.processed  crashes: crashed in" in head
    assert "form=wrapped" in head
    assert "message_id=1" in head
    assert trace[0] == "    Traceback (most recent call last):"
    assert trace[-1] == r"    ZeroDivisionError: inner\x1b[2J"
    assert any(line.strip().startswith("raise ZeroDivisionError") for line in trace)


def test_what_gunicorn_says_of_its_own_starts_is_left_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert shown(entry(logger="gunicorn.error"), capsys) == ""
    assert shown(entry(logger="handlers.mine"), capsys) != ""
    assert shown(entry(logger="gunicorn.error", severity="ERROR"), capsys) != ""


def test_a_terminal_without_unicode_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    import io

    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    Terminal().line("snow \N{SNOWMAN}\n".encode())
    sys.stdout.flush()
    assert raw.getvalue() == b"snow \\u2603\n"
