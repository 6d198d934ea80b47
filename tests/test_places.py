"""How many handlers of a feature run at once."""

from contextlib import ExitStack
from typing import Any

import pytest

from worker import Context, feature
from worker.feature import Feature
from worker.outcome import Overloaded
from worker.places import Places


@feature("any_number")
def any_number(context: Context) -> None:
    """As many as there are threads."""


@feature("one_at_a_time", concurrency=1)
def one_at_a_time(context: Context) -> None:
    """Only one."""


@feature("many", concurrency=1_000)
def many(context: Context) -> None:
    """More than there are threads."""


@pytest.mark.parametrize(("of", "most"), [(any_number, 3), (one_at_a_time, 1), (many, 3)])
def test_a_feature_has_as_many_places_as_it_says_and_never_more_than_threads(
    of: Feature[Any], most: int
) -> None:
    places = Places(3)
    with ExitStack() as stack:
        for _ in range(most):
            stack.enter_context(places.of(of))
        with pytest.raises(Overloaded) as caught, places.of(of):
            pass
        assert caught.value.fields == {"held_by": {of.name: most}}
        assert places.taken() == {of.name: most}
    assert places.taken() == {}
    with places.of(of):
        assert places.taken() == {of.name: 1}


def test_a_place_is_free_again_when_its_handler_fails() -> None:
    places = Places(1)
    with pytest.raises(KeyError), places.of(any_number):
        raise KeyError
    with places.of(any_number):
        assert places.taken() == {"any_number": 1}


def test_who_holds_most_is_named_first_and_features_do_not_share_places() -> None:
    places = Places(2)
    with places.of(one_at_a_time), places.of(any_number), places.of(any_number):
        assert list(places.taken().items()) == [("any_number", 2), ("one_at_a_time", 1)]
