"""Templates -> files. What is put into a template is Python, Markdown or JSON already."""

from functools import lru_cache
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).with_name("templates")


def rendered(template: str, **parts: Any) -> str:
    """The template with these parts in it; they are inserted, never read as a template."""
    text: str = _environment().get_template(template).render(**parts)
    return text


@lru_cache(maxsize=1)
def _environment() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only here

    return Environment(
        loader=FileSystemLoader(_FOLDER),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - no HTML comes of it: text.py escapes for each place
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
