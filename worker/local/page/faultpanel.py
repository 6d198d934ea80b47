"""The fault switches of the Publish page: what stands in them, and back."""

from collections.abc import Mapping
from dataclasses import dataclass

from worker.local.pubsub.push.faults import MOST_BURST, MOST_DELAY_SECONDS, FaultSettings


@dataclass(frozen=True, slots=True)
class Switch:
    """One switch. `most` is its largest number, in `unit`; "" for what is only on or off."""

    name: str
    label: str
    help: str
    unit: str = ""
    most: int = 0


SWITCHES = (
    Switch(
        "paused", "Pause",
        "No pushes at all. Messages wait, as while the worker cannot be reached.",
    ),
    Switch(
        "duplicate", "Duplicate",
        "Delivered once more although acked: Pub/Sub promises at least once, not exactly once.",
        "%", 100,
    ),
    Switch(
        "drop_answer", "Drop the answer",
        "The worker has done it, but its answer is lost: the message comes again.", "%", 100,
    ),
    Switch("reorder", "Reorder", "Not in the order of publishing, which Pub/Sub does not promise."),
    Switch("delay", "Delay", "Before each push, as on a slow network.", "ms",
        int(MOST_DELAY_SECONDS * 1000),
    ),
    Switch(
        "burst", "Burst",
        "Holds so many messages back, then pushes them all at once. 0: none.", "msg", MOST_BURST,
    ),
)  # fmt: skip


def texts_of(settings: FaultSettings) -> dict[str, str]:
    """What stands in the switches."""
    return {
        "paused": "on" if settings.paused else "",
        "reorder": "on" if settings.reorder else "",
        "duplicate": f"{settings.duplicate * 100:g}",
        "drop_answer": f"{settings.drop_answer * 100:g}",
        "delay": f"{settings.delay_seconds * 1000:g}",
        "burst": str(settings.burst),
    }


def settings_of(values: Mapping[str, str]) -> tuple[FaultSettings, dict[str, str]]:
    """The settings that the switches say; what is wrong with them, by the name of the switch."""
    problems: dict[str, str] = {}
    numbers = {one.name: _number(one, values, problems) for one in SWITCHES if one.unit}
    settings = FaultSettings(
        duplicate=numbers["duplicate"] / 100,
        reorder=values.get("reorder") == "on",
        delay_seconds=numbers["delay"] / 1000,
        drop_answer=numbers["drop_answer"] / 100,
        burst=int(numbers["burst"]),
        paused=values.get("paused") == "on",
    )
    return settings, problems


def _number(switch: Switch, values: Mapping[str, str], problems: dict[str, str]) -> float:
    try:
        number = float(values.get(switch.name, "").strip() or "0")
    except ValueError:
        number = -1.0
    whole = switch.name != "burst" or number.is_integer()
    if not (0 <= number <= switch.most and whole):
        problems[switch.name] = f"a {'' if whole else 'whole '}number from 0 to {switch.most}"
        return 0
    return number
