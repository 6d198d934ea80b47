"""Plans as text: aligned lines, each with the mark of what would be done."""

from collections import Counter
from collections.abc import Sequence

from worker.client.text import printable
from worker.provision.step import DOES, State, Step

_VERBS = {
    State.MAKE: ("to make", "made"),
    State.CHANGE: ("to change", "changed"),
    State.REMOVE: ("to remove", "removed"),
    State.WAITS: ("waiting", "waiting"),
    State.CANNOT: ("not possible", "not done"),
    State.THERE: ("left as it is", "left as it is"),
}


def line_of(step: Step, width: int = 0) -> str:
    """One step."""
    about = f"  {printable(step.about)}" if step.about else ""
    return f"  {step.state.value} {printable(step.title):{width}}{about}".rstrip()


def width_of(steps: Sequence[Step]) -> int:
    """Of the longest title."""
    return max((len(step.title) for step in steps), default=0)


def lines_of(steps: Sequence[Step]) -> list[str]:
    """All steps but those of which nothing is there, aligned."""
    return [line_of(step, width_of(steps)) for step in steps if step.state is not State.GONE]


def summary(steps: Sequence[Step], *, done: bool = False) -> str:
    """How many of what, as in "3 to make, 41 there"."""
    count = Counter(step.state for step in steps)
    parts = [f"{count[state]} {_VERBS[state][done]}" for state in _VERBS if count[state]]
    if not does(steps) and not done:
        parts.insert(0, "nothing to do")
    return ", ".join(parts)


def does(steps: Sequence[Step]) -> bool:
    """Whether there is anything to do."""
    return any(step.state in DOES for step in steps)


def refused(steps: Sequence[Step]) -> list[Step]:
    """What nobody could tell, or do."""
    return [step for step in steps if step.state is State.CANNOT]
