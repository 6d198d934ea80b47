"""worker.local.pubsub.push.flow: slow start and push backoff."""

from worker.local.pubsub.push.flow import (
    FIRST_WINDOW,
    LARGEST_WINDOW,
    LONGEST_BACKOFF,
    SHORTEST_BACKOFF,
    Flow,
)


def nack(flow: Flow, times: int = 1, *, now: float = 0.0) -> None:
    """Pushes that fail one after the other."""
    for _ in range(times):
        flow.nacked(flow.step, now)


def test_it_begins_with_a_small_window() -> None:
    assert FIRST_WINDOW < 10
    assert Flow().room(0, 0.0) == FIRST_WINDOW
    assert Flow().room(FIRST_WINDOW, 0.0) == 0
    assert Flow().room(FIRST_WINDOW + 1, 0.0) == 0


def test_a_round_of_acks_doubles_the_window_up_to_its_limit() -> None:
    flow = Flow()
    for _ in range(FIRST_WINDOW):
        flow.acked()
    assert flow.window == 2 * FIRST_WINDOW
    for _ in range(LARGEST_WINDOW):
        flow.acked()
    assert flow.window == LARGEST_WINDOW


def test_a_nack_pauses_the_subscription_for_the_shortest_backoff() -> None:
    flow = Flow()
    nack(flow, now=50.0)
    assert flow.resumes == 50.0 + SHORTEST_BACKOFF
    assert flow.room(0, 50.0 + SHORTEST_BACKOFF / 2) == 0
    assert flow.room(0, 50.0 + SHORTEST_BACKOFF) == 1


def test_each_further_nack_doubles_the_backoff_up_to_its_limit() -> None:
    flow = Flow()
    pauses = []
    for _ in range(12):
        nack(flow)
        pauses.append(flow.resumes)
    assert pauses[:4] == [0.1, 0.2, 0.4, 0.8]
    assert pauses[-1] == LONGEST_BACKOFF


def test_nacks_of_pushes_that_were_under_way_together_count_once() -> None:
    flow = Flow()
    step = flow.step
    for _ in range(50):
        flow.nacked(step, 0.0)
    assert flow.resumes == SHORTEST_BACKOFF


def test_an_ack_halves_the_backoff_and_ends_it() -> None:
    flow = Flow()
    nack(flow, 4)
    flow.acked()
    assert flow.resumes == 0.4
    for _ in range(3):
        flow.acked()
    assert flow.resumes == 0.0


def test_nacks_shrink_the_window_to_one() -> None:
    flow = Flow()
    for _ in range(LARGEST_WINDOW):
        flow.acked()
    nack(flow)
    assert flow.window == LARGEST_WINDOW // 2
    nack(flow, 10)
    assert flow.window == 1
