"""The figures in docs/image.md: written between two comments, read back by a test."""

import re
from pathlib import Path

from tests.support.server import ROOT

PAGE = ROOT / "docs/image.md"


def fill(page: Path, name: str, text: str) -> None:
    """Put the text where the page has figures of that name. Raises ValueError if it has none."""
    found = _place(name).subn(lambda match: f"{match[1]}\n{text}\n{match[3]}", page.read_text())
    if found[1] != 1:
        raise ValueError(f"{page.name} has no figures named {name}")
    page.write_text(found[0])


def filled(page: Path, name: str) -> str:
    """The figures of that name on the page. Raises ValueError if it has none."""
    found = _place(name).search(page.read_text())
    if found is None:
        raise ValueError(f"{page.name} has no figures named {name}")
    return found[2].strip() + "\n"


def _place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name}: .*?-->\n)(.*?)(<!-- end -->)", re.DOTALL)
