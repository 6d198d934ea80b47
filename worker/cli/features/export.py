"""`python -m worker features export`: everything that follows from the models, as files."""

from collections import Counter
from pathlib import Path

import click

from worker.cli import fail
from worker.cli.features import described_or_fail
from worker.cli.settings import settings_options
from worker.client.text import printable
from worker.deployment import DeploymentInvalid


@click.command("export", short_help="Write schemas, documents, pages and a publisher to a folder.")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@settings_options
def command(*, folder: Path, settings: Path | None, project: str | None) -> None:
    """Write everything that describes the features to DIR (docs/catalog.md says what it is).

    A file of a feature that is gone is removed; what DIR holds beside these files stays. Without a
    project the commands leave it out, and gcloud takes the one that it is set to.

    \b
    Example: python -m worker features export build/features
    Example: python -m worker features export build/features --project my-project
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from worker.builder.order import BuildFailed
    from worker.catalog.commands import where_of
    from worker.catalog.export import files_of, write_all

    try:
        files = files_of(described_or_fail(), where_of(settings, project))
        gone = write_all(folder, files)
    except DeploymentInvalid as error:
        fail(printable(str(error)))
    except BuildFailed as error:
        fail(f"the models of the publisher cannot be made: {printable(str(error))}")
    except OSError as error:
        fail(f"{printable(str(error.filename))}: {error.strerror}")
    for kind, count in Counter(map(_kind_of, files)).items():
        click.echo(
            f"{printable(str(folder / kind))}{f': {count} files' if '.' not in kind else ''}"
        )
    if gone:
        click.echo(f"removed {len(gone)} files of features that are gone")


def _kind_of(name: str) -> str:
    """The file itself at the top, else its folder."""
    return name.partition("/")[0]
