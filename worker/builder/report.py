"""REPORT.md: what was asked for, what was built, and how it was verified, for people to read."""

import json
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from worker.builder import words
from worker.builder.draft import Check, Draft
from worker.builder.order import Order, Target
from worker.builder.templating import rendered
from worker.builder.text import markdown

_LANGUAGES = {"py": "python", "md": "markdown"}
_TICKS = re.compile(r"`+")
_UNKNOWN = "not known"
_PURPOSES = {
    Target.WORKER: (
        (r"handlers/", "the requirements, the result and the handler"),
        (r"tests/", "its tests"),
        (r"docs/", "its page"),
    ),
    Target.FASTAPI: (
        (r".*/__init__\.py", "the router, for petsage/main.py"),
        (r".*/models\.py", "the request and the response"),
        (r".*/router\.py", "the route"),
        (r".*/service\.py", "the work"),
        (r"tests/", "its tests"),
        (r"docs/", "its page"),
    ),
}
_IMPACT = {
    Target.WORKER: (
        "One more handler in the worker: nothing that is there changes. Messages for {feature} "
        "are handled once its files are deployed."
    ),
    Target.FASTAPI: (
        "One more route, /{dashes}/: nothing that is there changes but two lines in "
        "petsage/main.py."
    ),
}


def report(
    draft: Draft, checks: Sequence[Check], requested: datetime | None, message_id: str | None
) -> str:
    """Write the report. It says when the message was published, so that each delivery agrees."""
    order = draft.order
    return rendered(
        "report.md.j2",
        feature=order.feature,
        target=order.target.value,
        payload=fenced(json_of(payload_of(order)), "json"),
        kind=_KINDS[draft.wanted.kind],
        objective=words.prose(order, draft.wanted),
        impact=_IMPACT[order.target].format(
            feature=order.feature, dashes=words.dashes(order.feature)
        ),
        files=[_about(order, name) for name in sorted(draft.files)],
        tree=fenced("\n".join(tree(draft.files)), "text"),
        sources=[
            (name, fenced(text, _language(name))) for name, text in sorted(draft.files.items())
        ],
        steps=draft.integration,
        lines=fenced("\n".join(draft.integration), "python"),
        checks=checks,
        page=f"docs/features/{order.feature}.md",
        requested=_time(requested),
        message_id=markdown(message_id) if message_id else _UNKNOWN,
        digest=draft.digest,
    )


_KINDS = {
    "none": "It requires nothing.",
    "sentence": "The requirements are a sentence: it is kept in the docstring and on the page.",
    "model": "The requirements are fields: a model checks them.",
}


def payload_of(order: Order) -> dict[str, Any]:
    """The order as a payload has it."""
    tag = {} if order.tag is None else {"tag": order.tag}
    return {
        "feature": order.feature,
        "description": order.description,
        "requirements": order.requirements,
        "target": order.target.value,
        **tag,
    }


def json_of(value: Any) -> str:
    r"""JSON to be read; what does not print is shown as an escape, such as \u202e."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    return "".join(
        one if one == "\n" or one.isprintable() else json.dumps(one)[1:-1] for one in text
    )


def fenced(text: str, language: str) -> str:
    """A fenced block that the text cannot end: its fence is longer than any within."""
    longest = max((len(found) for found in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip(chr(10))}\n{fence}"


def tree(names: Iterable[str]) -> list[str]:
    """The paths, drawn as a tree."""
    root: dict[str, Any] = {}
    for name in sorted([*names, "REPORT.md"]):
        branch = root
        for part in name.split("/"):
            branch = branch.setdefault(part, {})
    return list(_drawn(root, ""))


def _drawn(branch: dict[str, Any], indent: str) -> Iterable[str]:
    last = len(branch) - 1
    for at, (name, below) in enumerate(branch.items()):
        yield f"{indent}{'└── ' if at == last else '├── '}{name}{'/' if below else ''}"
        yield from _drawn(below, indent + ("    " if at == last else "│   "))


def _about(order: Order, name: str) -> tuple[str, str]:
    purposes = _PURPOSES[order.target]
    return name, next(text for pattern, text in purposes if re.match(pattern, name))


def _language(name: str) -> str:
    return _LANGUAGES[name.rpartition(".")[2]]


def _time(moment: datetime | None) -> str:
    return _UNKNOWN if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds")
