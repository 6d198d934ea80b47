"""What every place where messages are held does.

A subclass hands in `quarantine`, which fills the place as a worker does; `opened`, which makes a
Place of it (with a limit, if one is given); `litter`, which puts bytes there that are no message.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.support.desk import BAD, BROKEN, UNKNOWN, UNLUCKY, WHY_BAD, reject, reject_push
from tests.support.pushes import PUBLISHED, SUBSCRIPTION, push_of
from worker.desk import Place
from worker.desk.held import Held
from worker.message import Message
from worker.quarantine import Quarantine

Opened = Callable[..., Place]


def look(opened: Opened) -> list[Held]:
    """What is there, put back as it was."""
    with opened() as place:
        return list(place.messages())


class DeskContract:
    def test_an_empty_place_holds_nothing(self, opened: Opened) -> None:
        assert look(opened) == []

    def test_a_rejected_message_is_held_as_it_was_delivered(
        self, opened: Opened, quarantine: Quarantine
    ) -> None:
        reject(quarantine, BAD, "17", {"größe": "ü\x1b"})

        (held,) = look(opened)
        assert held.id.startswith("sha256-")
        assert (held.reason, held.kind, held.feature) == (WHY_BAD, "bad_payload", "resize")
        assert isinstance(held.message, Message)
        assert held.message.id == "17"
        assert held.message.subscription == SUBSCRIPTION
        assert held.message.attributes == {"größe": "ü\x1b"}
        assert held.data == b'{"feature": "resize", "requirements": {"wdth": 5}}'
        assert held.message.publish_time is not None
        assert held.message.publish_time.isoformat().startswith(PUBLISHED[:19])
        assert held.time is not None
        assert (held.attempts, held.replays, held.foreign) == (1, 0, False)
        assert held.headers["content-type"] == "application/json"

    @pytest.mark.parametrize(
        ("payload", "kind"),
        [(BAD, "bad_payload"), (UNKNOWN, "unknown_feature"), (UNLUCKY, "handler")],
    )
    def test_who_rejected_it_is_told(
        self, opened: Opened, quarantine: Quarantine, payload: object, kind: str
    ) -> None:
        reject(quarantine, payload)
        assert [held.kind for held in look(opened)] == [kind]

    def test_what_is_no_push_is_held_with_its_bytes(
        self, opened: Opened, quarantine: Quarantine
    ) -> None:
        reject_push(quarantine, push_of(BROKEN))

        (held,) = look(opened)
        assert (held.kind, held.message, held.foreign) == ("bad_envelope", None, False)
        assert held.data == BROKEN
        assert held.problem.startswith("bad envelope: ")

    def test_a_message_that_was_quarantined_twice_is_held_once(
        self, opened: Opened, quarantine: Quarantine
    ) -> None:
        for _ in range(3):
            reject(quarantine, BAD, "17")
        with opened() as place:
            (held,) = place.messages()
            place.remove(held)
        assert look(opened) == []

    def test_each_message_keeps_its_id(self, opened: Opened, quarantine: Quarantine) -> None:
        for number in ("1", "2", "3"):
            reject(quarantine, BAD, number)
        first = {held.id: held.message and held.message.id for held in look(opened)}
        assert len(first) == 3
        assert {held.id: held.message and held.message.id for held in look(opened)} == first

    def test_what_is_removed_is_gone_and_the_rest_is_there(
        self, opened: Opened, quarantine: Quarantine
    ) -> None:
        for number in ("1", "2", "3"):
            reject(quarantine, BAD, number)
        with opened() as place:
            gone = list(place.messages())[1]
            place.remove(gone)
            place.remove(gone)
        assert gone.id not in {held.id for held in look(opened)}
        assert len(look(opened)) == 2

    def test_an_interrupted_look_leaves_everything(
        self, opened: Opened, quarantine: Quarantine
    ) -> None:
        for number in ("1", "2"):
            reject(quarantine, BAD, number)
        with suppress(KeyboardInterrupt), opened() as place:
            list(place.messages())
            raise KeyboardInterrupt
        assert len(look(opened)) == 2

    def test_a_message_that_was_counted_is_as_it_was(
        self, opened: Opened, quarantine: Quarantine
    ) -> None:
        reject(quarantine, BAD, "17", {"tenant": "a"})
        with opened() as place:
            (before,) = place.messages()
            place.count(before, 2)
        (after,) = look(opened)
        assert replace(after, replays=0) == replace(before, replays=0)

    def test_a_replayed_message_that_comes_back_says_how_often(
        self, opened: Opened, quarantine: Quarantine
    ) -> None:
        reject(quarantine, BAD, "17", {"replay_count": "2"})
        assert [held.replays for held in look(opened)] == [2]

    @pytest.mark.parametrize(
        "bytes_",
        [b"{}", b"\xff\x00", b'{"id": "sha256-0"}', b"[" * 100_000, b'"\\ud800"', b"1e999"],
    )
    def test_something_else_is_shown_as_such(
        self, opened: Opened, quarantine: Quarantine, litter: Callable[[bytes], None], bytes_: bytes
    ) -> None:
        reject(quarantine)
        litter(bytes_)

        held = {one.foreign: one for one in look(opened)}
        assert set(held) == {False, True}
        assert held[True].message is None
        assert held[True].reason
        assert held[True].data == bytes_

    def test_something_else_goes_only_when_it_is_removed(
        self, opened: Opened, litter: Callable[[bytes], None]
    ) -> None:
        litter(b"a")
        litter(b"b")
        with opened() as place:
            place.remove(next(held for held in place.messages() if held.data == b"a"))
        assert [held.data for held in look(opened)] == [b"b"]

    def test_a_limit_is_kept_and_told(self, opened: Opened, quarantine: Quarantine) -> None:
        for number in range(5):
            reject(quarantine, BAD, str(number))
        with opened(limit=3) as place:
            assert len(list(place.messages())) == 3
            assert place.cut
        with opened(limit=6) as place:
            assert len(list(place.messages())) == 5
            assert not place.cut
