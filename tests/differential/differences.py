"""Every scenario, and the differences between the laptop cloud and Google's emulator."""

from tests.differential.scenario import Behaviour, found_in
from tests.differential.scenarios import (
    acks,
    bodies,
    limits,
    ordering,
    pulling,
    settings,
    unwrapped,
)

SCENARIOS = [
    one
    for module in (acks, bodies, unwrapped, ordering, pulling, limits, settings)
    for one in found_in(vars(module))
]
RESTART = Behaviour(
    "start again",
    ours="topics, subscriptions and messages are there still",
    emulator="nothing is there any more",
    documented="a message is kept until it is acked or its retention ends "
    "([replay](https://cloud.google.com/pubsub/docs/replay-overview))",
)
BEHAVIOURS = [RESTART, *(one.behaviour for one in SCENARIOS)]
DIFFERENCES = [one for one in BEHAVIOURS if one.emulator]

_HEAD = ("What is done", "The laptop cloud", "Google's emulator", "What is documented")


def markdown() -> str:
    """The table of the differences, as a page shows it."""
    rows = [(one.title, one.ours, one.emulator, one.documented) for one in DIFFERENCES]
    lines = [f"| {' | '.join(row)} |" for row in (_HEAD, *rows)]
    lines.insert(1, "|---" * len(_HEAD) + "|")
    return "\n".join([*lines, ""])
