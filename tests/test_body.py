"""Bodies that arrive together: what they may take, and that all of it is given back."""

import pytest

from tests.support.rawhttp import chunk, request
from worker.body import FREE_BODY, MAX_BODIES, MAX_BODY, Body, Room
from worker.http1 import Reader, Request
from worker.outcome import Overloaded, Refused

MEGABYTE = b"x" * 1024 * 1024


def fill(body: Body, size: int) -> None:
    while size > 0:
        body.add(MEGABYTE[:size])
        size -= len(MEGABYTE)


def test_bodies_come_one_after_another() -> None:
    body = Body(Room())
    body.add(b"one ")
    body.add(b"two")
    assert body.take() == (b"one two", 0)
    body.add(b"three")
    assert body.take() == (b"three", 0)
    assert body.take() == (b"", 0)


def test_as_many_bodies_of_the_full_size_fit_as_a_process_takes() -> None:
    room = Room()
    bodies = [Body(room) for _ in range(MAX_BODIES // MAX_BODY)]
    for one in bodies:
        fill(one, MAX_BODY)
    assert room.free == len(bodies) * FREE_BODY
    assert [len(one.take()[0]) for one in bodies] == [MAX_BODY] * 16


def test_one_byte_more_than_there_is_room_for_is_overloaded_and_small_bodies_go_on() -> None:
    room = Room(2 * len(MEGABYTE))
    large, other, small = Body(room), Body(room), Body(room)
    fill(large, FREE_BODY + 2 * len(MEGABYTE))
    assert room.free == 0
    fill(small, FREE_BODY)
    fill(other, FREE_BODY)
    with pytest.raises(Overloaded):
        other.add(b"x")
    large.drop()
    other.add(b"x")
    assert room.free == 2 * len(MEGABYTE) - 1


def test_a_body_over_the_limit_is_refused_whatever_room_there_is() -> None:
    body = Body(Room(2 * MAX_BODY))
    fill(body, MAX_BODY)
    with pytest.raises(Refused):
        body.add(b"x")


def large(*, size: int = len(MEGABYTE), follow: bytes = b"") -> bytes:
    return request("POST", "/", [], MEGABYTE[:size]) + follow


class TestGivenBack:
    """By the reader, whatever becomes of the request; what is handed over says what it holds."""

    @pytest.fixture
    def room(self) -> Room:
        return Room(4 * len(MEGABYTE))

    @pytest.fixture
    def reader(self, room: Room) -> Reader:
        return Reader(room)

    def held(self, room: Room) -> int:
        return 4 * len(MEGABYTE) - room.free

    def test_a_whole_request_holds_what_it_takes(self, reader: Reader, room: Room) -> None:
        reader.feed(large(follow=request("GET", "/")))
        first, second = reader.ready
        assert isinstance(first, Request)
        assert isinstance(second, Request)
        assert (first.held, second.held) == (len(MEGABYTE) - FREE_BODY, 0)
        assert self.held(room) == first.held

    @pytest.mark.parametrize("rest", [b"zz\r\n", chunk(MEGABYTE) * 14], ids=["broken", "too large"])
    def test_a_body_with_a_problem_holds_nothing(
        self, reader: Reader, room: Room, rest: bytes
    ) -> None:
        head = request("POST", "/", [("Transfer-Encoding", "chunked")], None)
        reader.feed(head + chunk(MEGABYTE))
        assert self.held(room) > 0
        reader.feed(rest)
        (found,) = reader.ready
        assert isinstance(found, Request)
        assert found.problem
        assert (found.held, self.held(room)) == (0, 0)

    def test_a_lost_connection_holds_nothing(self, reader: Reader, room: Room) -> None:
        reader.feed(large()[:-1])
        assert self.held(room) > 0
        reader.end("the connection was lost")
        assert self.held(room) == 0

    def test_what_is_forgotten_with_the_last_answer_holds_nothing(
        self, reader: Reader, room: Room
    ) -> None:
        reader.feed(large(follow=large(follow=large()[:-1])))
        assert self.held(room) > 2 * (len(MEGABYTE) - FREE_BODY)
        reader.finish()
        assert self.held(room) == 0

    def test_without_room_the_body_is_overloaded(self, reader: Reader, room: Room) -> None:
        room.free = len(MEGABYTE) // 2
        reader.feed(large())
        (found,) = reader.ready
        assert isinstance(found, Request)
        assert isinstance(found.problem, Overloaded)
        assert room.free == len(MEGABYTE) // 2
