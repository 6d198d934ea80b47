"""The same scenarios on the laptop cloud and on Google's emulator: what the table says is so."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from tests.differential.differences import BEHAVIOURS, DIFFERENCES, RESTART, SCENARIOS, markdown
from tests.differential.laptop import Laptop
from tests.differential.observations import Observations
from tests.differential.scenario import Behaviour, Kind, Scenario
from tests.differential.stage import Stage
from tests.emulator.support import PubSub
from tests.support.emulator import Emulator, find_installation


def observations(host: str, request: pytest.FixtureRequest) -> Iterator[Observations]:
    """Of those scenarios that this run of pytest has a test of."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    wanted = {spec.params["scenario"] for spec in specs if spec and "scenario" in spec.params}
    with Observations(host, [one for one in SCENARIOS if one in wanted]) as running:
        yield running


def emulator(folder: Path) -> Emulator:
    installation = find_installation()
    assert installation is not None, "the test lacks the marker `emulator`"
    return Emulator(installation, folder)


@pytest.fixture(scope="module")
def on_emulator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Observations]:
    with emulator(tmp_path_factory.mktemp("emulator")) as running:
        yield from observations(running.host, request)


@pytest.fixture(scope="module")
def on_laptop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Observations]:
    with Laptop(tmp_path_factory.mktemp("laptop")) as running:
        yield from observations(running.host, request)


Start = Callable[[], AbstractContextManager[str]]


class Differential:
    kind: Kind

    @pytest.mark.parametrize("scenario", SCENARIOS, ids=str)
    def test_it_does_what_the_table_says(self, seen: Observations, scenario: Scenario) -> None:
        assert seen.of(scenario) == scenario.behaviour.expected(self.kind)

    def test_what_it_keeps(self, start: Start) -> None:
        with start() as host:
            before = PubSub(host)
            topic = before.topic()
            subscription = before.subscription(topic, "kept")
            published = before.publish(topic, "kept")
        with start() as host:
            there = Stage(host).reply("GET", subscription).word == "taken"
            assert not there or PubSub(host).pull(subscription)["messageId"] == published
        kept = "topics, subscriptions and messages are there still"
        assert (kept if there else "nothing is there any more") == RESTART.expected(self.kind)


@pytest.mark.emulator
class TestGooglesEmulator(Differential):
    kind = Kind.EMULATOR

    @pytest.fixture
    def seen(self, on_emulator: Observations) -> Observations:
        return on_emulator

    @pytest.fixture
    def start(self, tmp_path: Path) -> Start:
        @contextmanager
        def started() -> Iterator[str]:
            with emulator(tmp_path) as running:
                yield running.host

        return started


class TestLaptopCloud(Differential):
    kind = Kind.LAPTOP

    @pytest.fixture
    def seen(self, on_laptop: Observations) -> Observations:
        return on_laptop

    @pytest.fixture
    def start(self, tmp_path: Path) -> Start:
        @contextmanager
        def started() -> Iterator[str]:
            with Laptop(tmp_path) as running:
                yield running.host

        return started


def test_the_table_has_a_row_for_each_difference() -> None:
    head, line, *rows = markdown().splitlines()
    assert set(line) == {"|", "-"}
    assert len(rows) == len(DIFFERENCES)
    assert {row.count("|") for row in (head, line, *rows)} == {5}


def test_titles_tell_scenarios_apart() -> None:
    assert len({one.title for one in BEHAVIOURS}) == len(BEHAVIOURS)


def test_a_difference_is_argued() -> None:
    with pytest.raises(AssertionError, match="argued"):
        Behaviour("title", ours="a", emulator="b")
    with pytest.raises(AssertionError, match="no difference"):
        Behaviour("title", ours="a", emulator="a", documented="because")
