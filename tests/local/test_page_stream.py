"""Server-sent events that lose no update: worker/local/page/stream.py."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue

import flask
from hypothesis import given
from hypothesis import strategies as st

from worker.local.page.stream import Differences, differences, frame


def events(data: bytes) -> list[tuple[str, str]]:
    """As a browser reads them."""
    found = []
    for block in data.decode().split("\n\n"):
        lines = [line for line in block.split("\n") if line.startswith(("event: ", "data: "))]
        if lines:
            texts = [line[6:] for line in lines if line.startswith("data: ")]
            found.append((lines[0][7:], "\n".join(texts)))
    return found


@given(st.text())
def test_a_frame_is_one_event_whatever_is_in_it(text: str) -> None:
    ((name, data),) = events(frame("put", text))
    assert name == "put"
    safe = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace").decode()
    assert data == safe


class Browser:
    """What a page does with the events: the same as app.js."""

    def __init__(self) -> None:
        self.parts: dict[str, str] = {}

    def take(self, frames: Iterator[bytes]) -> None:
        for name, data in events(b"".join(frames)):
            if name == "only":
                left = data.split("\n")
                self.parts = {key: self.parts[key] for key in self.parts if key in left}
            else:
                self.parts[data.partition(":")[0]] = data


states = st.lists(st.dictionaries(st.sampled_from("abcde"), st.integers(0, 3)), min_size=1)


@given(states, st.sets(st.integers(0, 10)))
def test_a_browser_knows_how_things_are_after_each_look(
    shown: list[dict[str, int]], lost: set[int]
) -> None:
    browser, now = Browser(), iter(shown)
    seen: dict[str, str] = {}

    def look() -> dict[str, str]:
        seen.clear()
        seen.update({key: f"{key}:{value}" for key, value in next(now).items()})
        return seen

    told = Differences(look)
    for number in range(len(shown)):
        if number in lost:  # the connection broke: another begins from nothing
            told = Differences(look)
        browser.take(told.frames())
        assert browser.parts == seen


def test_what_did_not_change_is_not_sent_again() -> None:
    told = Differences(lambda: {"a": "a:1", "b": "b:1"})
    assert len(list(told.frames())) == 3
    assert list(told.frames()) == []


def test_a_stream_listens_before_it_looks_and_stops_when_the_browser_is_gone() -> None:
    happened: list[str] = []

    @contextmanager
    def listen() -> Iterator[Queue[int]]:
        happened.append("listens")
        notices: Queue[int] = Queue()
        notices.put(1)
        try:
            yield notices
        finally:
            happened.append("stopped")

    def look() -> dict[str, str]:
        happened.append("looks")
        return {"a": f"a:{len(happened)}"}

    app = flask.Flask("streams")
    with app.test_request_context():
        answer = differences(listen, look)
        assert answer.mimetype == "text/event-stream"
        chunks = answer.iter_encoded()
        received = [next(chunks) for _ in range(5)]
        answer.close()
    assert received[0] == b"retry: 1000\n\n"
    assert [name for name, _ in events(b"".join(received))] == ["only", "put", "put"]
    assert happened == ["listens", "looks", "looks", "stopped"]
