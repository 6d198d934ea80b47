"""How far a long command has come: a bar on a terminal, lines elsewhere."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

Step = Callable[[str], None]


@contextmanager
def progress(total: int) -> Iterator[Step]:
    """Call what it gives with a line (made printable) for each of `total` steps."""
    if sys.stdout.isatty() and importlib.util.find_spec("rich"):
        with _bar(total) as step:
            yield step
        return
    done = 0

    def line(text: str) -> None:
        nonlocal done
        done += 1
        click.echo(f"{done}/{total}  {text}")

    yield line


@contextmanager
def _bar(total: int) -> Iterator[Step]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn
    from rich.text import Text

    columns = (BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("", total=total)

        def step(text: str) -> None:
            bar.console.print(Text(text), soft_wrap=True, highlight=False)
            bar.advance(task)

        yield step
