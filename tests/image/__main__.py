"""`python -m tests.image`: builds the image, measures it, and writes docs/image.md's figures."""

from datetime import UTC, datetime

import click

from tests.benchmarks.machine import machine
from tests.image import podman
from tests.image.builds import images
from tests.image.cold_start import measure
from tests.image.contents import contents
from tests.image.page import PAGE, fill

ROUNDS = 15


@click.command()
@click.option("--rounds", default=ROUNDS, show_default=True, help="Starts of each image.")
def main(rounds: int) -> None:
    """Measure sizes and cold starts."""
    if lack := podman.lack():
        raise click.ClickException(lack)
    click.echo("building")
    built = images(podman.Podman.usual())
    fill(PAGE, "contents", contents(built).table())
    found = measure(built, rounds, click.echo)
    setting = f"{rounds} rounds, {datetime.now(UTC):%Y-%m-%d}, {machine()}"
    fill(PAGE, "cold start", f"{found.table()}\n{setting}\n")
    click.echo(found.table())


if __name__ == "__main__":
    main()
