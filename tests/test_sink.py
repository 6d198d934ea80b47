"""Lines on a real pipe: whole, in one piece, and never an exception."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial

import pytest

from tests.support.inprocess import in_thread
from worker.sink import ENTRY_LIMIT, SHARED_LIMIT, StdoutSink

WAIT_SECONDS = 30.0


class Pipe:
    """A pipe and a thread that reads it to its end."""

    def __init__(self) -> None:
        self.read_end, self.write_end = os.pipe()
        self._parts: list[bytes] = []
        self._reader: threading.Thread | None = None

    def start_reading(self) -> None:
        self._reader = in_thread(self._read)

    def _read(self) -> None:
        while part := os.read(self.read_end, 65536):
            self._parts.append(part)

    def lines(self) -> list[bytes]:
        """Everything written, after the last writer has closed."""
        os.close(self.write_end)
        assert self._reader is not None
        self._reader.join(WAIT_SECONDS)
        return b"".join(self._parts).splitlines(keepends=True)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    pipe = Pipe()
    yield pipe
    for end in (pipe.read_end, pipe.write_end):
        with suppress(OSError):
            os.close(end)


def test_an_entry_is_one_line_and_is_there_at_once(pipe: Pipe) -> None:
    StdoutSink(pipe.write_end).write({"message": "a\nb", "n": 1})
    assert os.read(pipe.read_end, 1000) == b'{"message":"a\\nb","n":1}\n'


def test_the_usual_place_is_stdout(capfd: pytest.CaptureFixture[str]) -> None:
    StdoutSink().write({"message": "m"})
    assert capfd.readouterr() == ('{"message":"m"}\n', "")


@pytest.mark.parametrize("blocking", [True, False])
def test_lines_of_many_threads_never_mix(pipe: Pipe, blocking: bool) -> None:
    os.set_blocking(pipe.write_end, blocking)
    pipe.start_reading()
    sink = StdoutSink(pipe.write_end)
    together = threading.Barrier(8)

    def write(thread: int) -> None:
        together.wait(WAIT_SECONDS)
        for number in range(100):
            # Longer than PIPE_BUF, some longer than a whole pipe: the kernel takes them in parts.
            sink.write({"thread": thread, "number": number, "text": "x" * (number * 800)})

    threads = [in_thread(partial(write, thread)) for thread in range(8)]
    for thread in threads:
        thread.join(WAIT_SECONDS)
    entries = [json.loads(line) for line in pipe.lines()]
    assert len(entries) == 800
    for thread_number in range(8):
        numbers = [e["number"] for e in entries if e["thread"] == thread_number]
        assert numbers == list(range(100))
    assert all(len(entry["text"]) == entry["number"] * 800 for entry in entries)


def test_a_full_pipe_that_does_not_block_is_waited_for(pipe: Pipe) -> None:
    os.set_blocking(pipe.write_end, False)
    filled = 0
    with suppress(BlockingIOError):
        while True:
            filled += os.write(pipe.write_end, b"\n" * 4096)
    writer = in_thread(lambda: StdoutSink(pipe.write_end).write({"message": "after"}))
    pipe.start_reading()
    writer.join(WAIT_SECONDS)
    assert not writer.is_alive()
    assert pipe.lines()[filled:] == [b'{"message":"after"}\n']


def test_a_descriptor_that_takes_nothing_sends_the_line_to_stderr(
    pipe: Pipe, capfd: pytest.CaptureFixture[str]
) -> None:
    StdoutSink(pipe.read_end).write({"message": "lost?"})
    assert capfd.readouterr().err == '{"message":"lost?"}\n'


def test_a_reader_that_went_away_sends_the_line_to_stderr(
    pipe: Pipe, capfd: pytest.CaptureFixture[str]
) -> None:
    os.close(pipe.read_end)
    sink = StdoutSink(pipe.write_end)
    sink.write({"message": "one"})
    sink.write({"message": "two"})
    assert capfd.readouterr().err == '{"message":"one"}\n{"message":"two"}\n'


def test_nowhere_left_to_write_is_no_exception(pipe: Pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, data: bytes) -> int:
        raise OSError(f"no {descriptor}")

    monkeypatch.setattr("worker.sink.os.write", refuse)
    StdoutSink(pipe.write_end).write({"message": "lost"})


@pytest.mark.parametrize("limit", [ENTRY_LIMIT, SHARED_LIMIT])
def test_a_line_is_never_over_its_limit(pipe: Pipe, limit: int) -> None:
    pipe.start_reading()
    StdoutSink(pipe.write_end, limit).write({"message": "m" * 1_000_000})
    (line,) = pipe.lines()
    assert limit * 0.9 < len(line) <= limit
    assert json.loads(line)["truncated"] is True


def test_the_limits_are_those_of_cloud_logging_and_of_a_shared_pipe() -> None:
    assert ENTRY_LIMIT == 200 * 1024
    assert SHARED_LIMIT == 4096


def test_the_entries_of_a_push_are_written_as_they_come(pipe: Pipe) -> None:
    sink = StdoutSink(pipe.write_end)
    batch = sink.batch()
    batch.write({"n": 1})
    assert os.read(pipe.read_end, 100) == b'{"n":1}\n'
    batch.close()
    sink.write({"n": 2})
    assert os.read(pipe.read_end, 100) == b'{"n":2}\n'
