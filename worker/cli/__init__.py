"""`python -m worker`: one file per command, imported when it is run."""

import importlib
import importlib.util
from collections.abc import Sequence
from typing import Any, NoReturn

import click

_INTERRUPTED = 130  # what a shell reports of a program that Ctrl-C ended
_COMMANDS = (
    "serve", "dev", "faults", "features", "new", "push", "publish", "quarantine",
    "provision", "smoke", "doctor",
)  # fmt: skip


class LazyGroup(click.Group):
    """Imports a command's module when it is asked for: `serve` must not wait for the others."""

    def __init__(self, *args: Any, package: str, names: Sequence[str], **extra: Any) -> None:
        super().__init__(*args, **extra)
        self._package = package
        self._names = names

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the help."""
        return list(self._names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name."""
        if cmd_name not in self._names:
            return None
        command: click.Command = importlib.import_module(f"{self._package}.{cmd_name}").command
        return command


class _Commands(LazyGroup):
    """All commands of the program."""

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        """Run a command. What is wrong with its words is said in one line, as every other error."""
        try:
            code = super().main(*args, **{**extra, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            raise SystemExit(error.exit_code) from None
        except click.ClickException as error:
            fail(f"{' '.join(error.format_message().split())} (see --help)", error.exit_code)
        except click.Abort:
            raise SystemExit(_INTERRUPTED) from None
        raise SystemExit(code or 0)


@click.group(
    cls=_Commands,
    package=__name__,
    names=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
def main() -> None:
    """The feature worker: takes Pub/Sub pushes, runs their handlers, logs the proof.

    Example: python -m worker dev
    """


def need_laptop_cloud() -> None:
    """End the command where there is no worker/local: the image leaves it out."""
    if importlib.util.find_spec("worker.local") is None:
        fail("the laptop cloud is not in the image: run this in a checkout")


def fail(message: str, code: int = 2) -> NoReturn:
    """End the command with one line on stderr."""
    click.echo(f"error: {message}", err=True)
    raise SystemExit(code)
