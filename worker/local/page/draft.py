"""What stands in the form of the Publish page -> the message that it makes, or what is wrong."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from worker.local.page.catalog import Listed
from worker.local.page.formfield import MISSING, ROOT, Field, flat
from worker.local.page.formvalues import value_of, values_of
from worker.local.page.processes import Commands
from worker.message import Form, PubsubMessage

TOPIC = "topic"  # beside the delivery forms: publish, and let the subscription push
MOST_COPIES = 1000
_ALWAYS = {"via": TOPIC, "count": "1", "encoding": "text"}


@dataclass(slots=True)
class Draft:
    """A form with its values. `problems` are by the name of a control; `reason` is the worker's."""

    feature: Listed | None
    form: Field | None
    values: Mapping[str, str]
    content: PubsubMessage = field(default_factory=lambda: PubsubMessage(b""))
    count: int = 1
    problems: dict[str, str] = field(default_factory=dict)
    reason: str = ""

    @property
    def via(self) -> str:
        """How it is to be sent: TOPIC, or the delivery form of a push straight to the worker."""
        given = self.values.get("via", TOPIC)
        return given if given in {*Form} else TOPIC

    @property
    def fields(self) -> list[Field]:
        """The controls of the requirements, in their order."""
        return list(flat(self.form))

    @property
    def shown(self) -> str:
        """The payload for people: JSON indented, other text as it is, other bytes as Python's."""
        try:
            return json.dumps(json.loads(self.content.data), indent=2, ensure_ascii=False)
        except (ValueError, RecursionError):
            return self.content.data.decode("utf-8", "backslashreplace")


def opened(feature: Listed | None, requirements: Any = MISSING) -> Draft:
    """The form as it is opened: with the defaults, or filled in with these requirements."""
    form = feature.form if feature else None
    filled = values_of(form, requirements) if form else {}
    return read(feature, {**_ALWAYS, **filled})


def read(feature: Listed | None, values: Mapping[str, str]) -> Draft:
    """The message that the values make; with problems, as far as it goes."""
    draft = Draft(feature, feature.form if feature else None, values)
    attributes = _attributes(values.get("attributes", ""), draft.problems)
    data = _data_of_feature(feature, draft) if feature else _data(draft)
    draft.content = PubsubMessage(data, attributes, values.get("ordering_key", ""))
    draft.count = _count(values.get("count", ""), draft.problems)
    return draft


def check(draft: Draft, commands: Commands) -> None:
    """Ask the worker's own models, and put what they say to the controls. Raises CommandFailed."""
    said = commands.json(["worker.local.page.validate"], stdin=draft.content.data)
    draft.reason = said["reason"]
    for problem in said["problems"]:
        name = _control_of(draft.form, problem["path"])
        if name:
            draft.problems.setdefault(name, problem["said"])


def _control_of(form: Field | None, place: Sequence[str | int]) -> str:
    """The control that holds what is at that place: the deepest on the way to it. "" for none."""
    way = tuple(str(part) for part in place)
    on_the_way = [one for one in flat(form) if one.path == way[: len(one.path)]]
    return max(on_the_way, key=lambda one: len(one.path)).name if on_the_way else ""


def _data_of_feature(feature: Listed, draft: Draft) -> bytes:
    payload: dict[str, Any] = {"feature": feature.name}
    if description := draft.values.get("description", ""):
        payload["description"] = description.replace("\r\n", "\n")
    if draft.form:
        made = value_of(draft.form, draft.values)
        draft.problems |= made.problems
        if made.value is not MISSING and made.value != {}:
            payload[ROOT] = made.value
    return _encoded(payload)


def _encoded(payload: Any) -> bytes:
    try:
        return json.dumps(payload, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can say and UTF-8 cannot
        return json.dumps(payload).encode()


def _data(draft: Draft) -> bytes:
    """The bytes of a payload that is written freely."""
    text = draft.values.get("payload", "").replace("\r\n", "\n")
    if draft.values.get("encoding") != "base64":
        return text.encode("utf-8", "replace")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        draft.problems["payload"] = "this is no Base64"
        return b""


def _attributes(text: str, problems: dict[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        key, equals, value = line.partition("=")
        if not line.strip():
            continue
        if not key or not equals:
            problems.setdefault("attributes", f"line {number}: an attribute is written key=value")
        found[key] = value
    return found


def _count(text: str, problems: dict[str, str]) -> int:
    plain = text.strip() or "1"
    if plain.isascii() and plain.isdigit() and len(plain) < 5 and 1 <= int(plain) <= MOST_COPIES:  # noqa: PLR2004 - no more digits than MOST_COPIES has
        return int(plain)
    problems["count"] = f"a number from 1 to {MOST_COPIES}"
    return 1
