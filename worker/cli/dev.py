"""`python -m worker dev`: the real server here, a proof that it works, reload while you edit."""

import importlib.util
import os
import sys
from collections.abc import Iterable
from pathlib import Path

import click

from worker.cli import fail
from worker.cli.console import Terminal
from worker.cli.devserver import DevServer
from worker.cli.interrupts import Interrupts
from worker.cli.nextsteps import next_steps
from worker.client.deliver import Unreachable, deliver
from worker.client.forms import Delivery, fresh_id, request_of
from worker.client.text import printable
from worker.message import Form

PAYLOAD = '{"feature":"smoke_test","description":"verify logs","requirements":"none"}'
_CONFIGURATION = 2  # serve's exit code for a setting or an address that cannot be used
_LOOK_MS = 300  # how often it looks after the server; file changes are noticed at once
_PROOF_SECONDS = 10.0
_CHANGES_SHOWN = 3


@click.command("dev", short_help="Serve here, prove that it works, reload on change.")
@click.option(
    "--port", type=click.IntRange(0, 65535), metavar="N", help="[default: PORT, or a free one]"
)
@click.option("--once", is_flag=True, help="Stop after the proof: exit code 0 done, 1 not.")
def command(*, port: int | None, once: bool) -> None:
    """Serve on this machine, deliver the smoke_test payload, show the log entries for people.

    Then it goes on serving, and restarts when a file of the handlers package or of worker/ changes.
    Ctrl-C stops it. The settings are those of `serve`, but PUSH_AUTH is none and LOG_SINK stdout.

    \b
    Example: python -m worker dev
    Example: python -m worker dev --port 8080
    Example: python -m worker dev --once
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    missing = [name for name in ("rich", "watchfiles") if not importlib.util.find_spec(name)]
    if missing:
        fail(f"dev needs {' and '.join(missing)}: pip install -r requirements-dev.txt")
    run = Run(_environment(port))
    try:
        code = run.once() if once else run.keep(_watched(run.environment.get("HANDLERS", "")))
    except (KeyboardInterrupt, BrokenPipeError):
        code = 1 if once else 0
    finally:
        run.end()
    raise SystemExit(code)


def _environment(port: int | None) -> dict[str, str]:
    """The settings of the server: those of this shell, but what it writes must reach us."""
    given = {name: value for name, value in os.environ.items() if value}
    debug = given.get("LOG_LEVEL") == "DEBUG"
    return {
        "PORT": "0",
        "QUARANTINE": "folder:quarantine",
        **given,
        **({} if port is None else {"PORT": str(port)}),
        # A .pyc is told from its source by the second of its change: an edit could be missed.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PUSH_AUTH": "none",
        "LOG_SINK": "stdout",
        "LOG_LEVEL": "DEBUG" if debug else "INFO",
    }


def _watched(handlers: str) -> list[Path]:
    """The folder of this program, and the package (or module) of the handlers, found unimported."""
    name = handlers or "handlers"
    candidates = [Path(root or ".").joinpath(*name.split(".")) for root in sys.path]
    found = [path for one in candidates for path in (one, one.with_suffix(".py")) if path.exists()]
    if not found:
        fail(f"no package {printable(name)} here: make one (docs/handlers.md), or set HANDLERS")
    return [Path(__file__).resolve().parents[1], found[0]]


class Run:
    """The servers of one `dev`, one after the other on the same port."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self._terminal = Terminal()
        self._interrupts = Interrupts()
        self._message_id = fresh_id()
        self._server: DevServer | None = None
        self._proved = False

    def once(self) -> int:
        """Start, prove, stop."""
        url = self._start()
        self._proved = url is not None and self._prove(url)
        self._stop()
        if self._proved:
            self._terminal.say(next_steps(None, self.environment))
        return 0 if self._proved else 1

    def keep(self, paths: Iterable[Path]) -> int:
        """Start, prove, and start again whenever a file changes, until Ctrl-C."""
        from watchfiles import watch

        changes = watch(*paths, yield_on_timeout=True, rust_timeout=_LOOK_MS)
        next(changes)  # it watches from here on: no change is missed
        self._start_and_prove()
        for changed in changes:
            if changed:
                self._say_changed({path for _, path in changed})
                self._stop()
                self._start_and_prove()
            elif self._server is not None and self._server.ended() is not None:
                self._gave_up()
        return 0

    def end(self) -> None:
        """Leave nothing behind, whatever happened."""
        self._interrupts.ignore()
        self._stop()

    def _start(self) -> str | None:
        """The address of a server that is ready; None when it does not get there."""
        with self._interrupts.held():
            self._server = DevServer(self.environment, self._terminal, self._message_id)
        ready = self._server.ready()
        if ready is None:
            self._gave_up()
            return None
        url, features = ready
        self.environment["PORT"] = url.rpartition(":")[2]
        self._terminal.say(
            f"ready on {url}, serving {features} feature{'s' * (features != 1)}", "bold green"
        )
        return url

    def _stop(self) -> int | None:
        code = self._server.stop() if self._server else None
        self._server = None  # not before: an interrupted stop is done again at the end
        return code

    def _gave_up(self) -> None:
        code = self._stop()
        if code == _CONFIGURATION and not self._proved:
            raise SystemExit(_CONFIGURATION)  # no change of a file mends this
        self._terminal.say(f"the server ended with exit code {code}", "bold red")

    def _start_and_prove(self) -> None:
        url = self._start()
        if url is not None and not self._proved:
            self._proved = self._prove(url)
            if self._proved:
                self._terminal.say(next_steps(url, self.environment))
        self._terminal.say("waiting for a change; Ctrl-C stops", "dim")

    def _prove(self, url: str) -> bool:
        """Deliver the smoke test; done means that the answer and the log both say so."""
        self._terminal.say(f"delivering {PAYLOAD}")
        delivery = Delivery(PAYLOAD.encode(), message_id=self._message_id)
        try:
            answer = deliver(f"{url}/", request_of(Form.WRAPPED, delivery))
        except Unreachable as error:
            return self._not_proved(str(error))
        if answer.outcome != "done":
            return self._not_proved(answer.reason)
        try:
            entry = self._server.proof.result(_PROOF_SECONDS) if self._server else None
        except TimeoutError:
            entry = None
        if entry is None:
            return self._not_proved("it was answered, but its log entry did not appear")
        self._terminal.say("the smoke test is done: the entries above are the proof", "bold green")
        return True

    def _not_proved(self, reason: str) -> bool:
        click.echo(f"error: the smoke test is not done: {printable(reason)}", err=True)
        return False

    def _say_changed(self, paths: Iterable[str]) -> None:
        names = [os.path.relpath(path) for path in sorted(paths)]
        more = f" and {len(names) - _CHANGES_SHOWN} more" if len(names) > _CHANGES_SHOWN else ""
        shown = printable(", ".join(names[:_CHANGES_SHOWN]))
        self._terminal.say(f"\n{shown}{more} changed: starting again", "bold")
