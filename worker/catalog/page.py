"""The HTML catalogue: every feature on one page that is one file and asks nobody for anything."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from worker.catalog.commands import Where, link, publish_command, query, read_command
from worker.catalog.described import Described
from worker.catalog.fields import Row, rows_of
from worker.catalog.text import as_json, visible

_TEMPLATES = Path(__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class _Shown:
    """A feature as the page shows it."""

    one: Described
    paragraphs: Sequence[str]
    fields: Sequence[Row]
    results: Sequence[Row]
    examples: Sequence[str]
    publish: str
    read: str
    query: str
    link: str
    schema: str


def html_of(described: Sequence[Described], where: Where) -> str:
    """The whole page. What authors wrote is text on it, whatever it says."""
    style, script = _part("catalog.css"), _part("catalog.js")
    return (
        _environment()
        .get_template("catalog.html")
        .render(
            features=[_shown(one, where) for one in described],
            where=where,
            style=style,
            script=script,
            policy=(
                f"default-src 'none'; style-src {_hash_of(style)}; script-src {_hash_of(script)}; "
                "base-uri 'none'; form-action 'none'"
            ),
        )
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _shown(one: Described, where: Where) -> _Shown:
    paragraphs = [" ".join(text.split()) for text in one.about.split("\n\n")[1:]]
    return _Shown(
        one=one,
        paragraphs=[text for text in paragraphs if text],
        fields=rows_of(one.requirements),
        results=rows_of(one.result),
        examples=[as_json(example) for example in one.examples],
        publish=publish_command(one, where),
        read=read_command(one, where),
        query=query(one, where),
        link=link(one, where),
        schema=as_json(one.payload),
    )


def _part(name: str) -> Markup:
    """A file of ours that goes into the page as it is."""
    return Markup((_TEMPLATES / name).read_text("utf-8"))  # noqa: S704 - ours, nobody else's text


def _hash_of(text: str) -> str:
    """How a content security policy names what may stand in the page."""
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def _finalize(value: Any) -> Any:
    """Escaping leaves alone what cannot be seen; markup is ours already."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value
