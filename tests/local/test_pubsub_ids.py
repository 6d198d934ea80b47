"""Numbers that never come twice, and ack ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.local.pubsub.ids import AckId, Ids

NUMBERS = st.integers(0, 2**64 - 1)


def test_ids_increase_while_the_clock_stands_still_or_goes_back() -> None:
    times = iter([5.0, 5.0, 1.0, 6.0])
    ids = Ids(machine=lambda: next(times))

    assert [ids.next() for _ in range(4)] == [5_000_000, 5_000_001, 5_000_002, 6_000_000]


def test_ids_go_on_after_the_last_one_of_the_state() -> None:
    assert Ids(7_000_000, machine=lambda: 5.0).next() == 7_000_001


def test_an_id_has_sixteen_digits_as_those_of_the_service() -> None:
    assert len(str(Ids().next())) == 16


@given(st.builds(AckId, st.integers(0, 2**32 - 1), NUMBERS, NUMBERS))
def test_an_ack_id_is_read_as_it_was_written(ack_id: AckId) -> None:
    assert AckId.parse(str(ack_id)) == ack_id


@given(st.text() | st.from_regex(r"[A-Za-z0-9_=-]{24,30}"))
def test_any_other_text_is_no_ack_id(text: str) -> None:
    try:
        parsed = AckId.parse(text)
    except ValueError:
        return
    assert str(parsed) == text


@pytest.mark.parametrize("text", ["", "\ud800", "AAAA", "A" * 28, "é" * 27, "A" * 26 + "B"])
def test_an_ack_id_that_was_tampered_with_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no ack id"):
        AckId.parse(text)
