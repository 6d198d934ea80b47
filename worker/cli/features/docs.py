"""`python -m worker features docs`: the generated part of the pages in docs/features."""

from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

import click

from worker.catalog.commands import Where
from worker.catalog.described import Described
from worker.catalog.files import text_of, write_whole
from worker.catalog.markdown import PageInvalid, is_generated, renewed
from worker.cli import fail
from worker.cli.features import described_or_fail
from worker.client.text import printable


@click.command("docs", short_help="Renew the generated part of docs/features/NAME.md.")
@click.option("--check", is_flag=True, help="Write nothing: name the pages that are out of date.")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="docs/features",
    show_default=True,
    help="Where the pages are.",
)
def command(*, check: bool, folder: Path) -> None:
    """Write what the models say of a feature into its page; what is outside the marks stays.

    A page that is missing is made. Exit code: 0 all is up to date, 1 (--check) something is not,
    2 it could not be done.

    \b
    Example: python -m worker features docs
    Example: python -m worker features docs --check
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    found = described_or_fail()
    try:
        changed = _changed(found, folder)
        orphans = _orphans({one.name for one in found}, folder)
        if check:
            _complain(changed, orphans)
        for page, text in changed.items():
            write_whole(page, text)
            click.echo(f"wrote {printable(str(page))}")
    except PageInvalid as error:
        fail(printable(str(error)))
    except OSError as error:
        fail(f"{printable(str(error.filename))}: {error.strerror}")
    click.echo(f"{len(found) - len(changed)} were up to date, {len(changed)} written")
    for page in orphans:
        click.echo(_orphaned(page), err=True)


def _changed(found: list[Described], folder: Path) -> dict[Path, str]:
    """The pages that are not as they should be, and how they should be."""
    where = Where()  # a page is the same wherever it is made, so it knows no deployment
    pages = {folder / f"{one.name}.md": one for one in found}
    changed = {}
    for page, one in pages.items():
        there, file = text_of(page), _file_of(one.place)
        try:
            text = renewed(there, one, where, (file, folder) if file else None)
        except PageInvalid as error:
            raise PageInvalid(f"{page}: {error}") from None
        if text != there:
            changed[page] = text
    return changed


def _file_of(place: str) -> Path | None:
    """The file of a handler, if it is below the current folder."""
    parts = place.split(".")
    for length in range(len(parts) - 1, 0, -1):
        path = Path(*parts[:length])
        for file in (path.with_suffix(".py"), path / "__init__.py"):
            if file.is_file():
                return file
    return None


def _orphans(names: set[str], folder: Path) -> list[Path]:
    """Pages with a generated part whose feature is gone."""
    pages = [page for page in sorted(folder.glob("*.md")) if page.stem not in names]
    return [page for page in pages if is_generated(text_of(page) or "")]


def _orphaned(page: Path) -> str:
    return f"{printable(str(page))}: no handler has this feature: remove the page"


def _complain(changed: Iterable[Path], orphans: Iterable[Path]) -> NoReturn:
    """End the command: 1 and a line for each page that is not right, or 0."""
    lines = [
        f"{printable(str(page))} is out of date: run python -m worker features docs"
        for page in changed
    ]
    lines += map(_orphaned, orphans)
    for line in lines:
        click.echo(line, err=True)
    raise SystemExit(1 if lines else 0)
