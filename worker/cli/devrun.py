"""One run of `dev`: the laptop cloud stays, the worker in it is started again at each change."""

import os
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import click

from worker import local
from worker.cli import fail
from worker.cli.console import Terminal
from worker.cli.devsetup import Options, environment_of, open_cloud, state_folder, watched_paths
from worker.cli.interrupts import Interrupts
from worker.cli.nextsteps import next_steps
from worker.cli.showing import Showing
from worker.client.text import printable
from worker.local.cloud import Cloud
from worker.local.database import StateUnusable
from worker.local.emulator import EmulatorMissing
from worker.local.errors import ApiError, PortUnusable
from worker.local.outcomes import wait_for_outcome
from worker.local.service import Service
from worker.message import PubsubMessage

PAYLOAD = '{"feature":"smoke_test","description":"verify logs","requirements":"none"}'
_CONFIGURATION = 2  # serve's exit code for a setting or an address that cannot be used
_LOOK_MS = 300  # how often it looks after the server; file changes are noticed at once
_PROOF_SECONDS = 15.0
_CHANGES_SHOWN = 3
# Between threads. Those of SQLite and of sockets are back after microseconds, and would wait for
# whoever computes for 5 ms each time: under load a page took seconds.
_SWITCH_SECONDS = 0.0005


def run(options: Options) -> int:
    """Run it; return the exit code."""
    interrupts = Interrupts()
    terminal = Terminal()
    sys.setswitchinterval(_SWITCH_SECONDS)
    environment = environment_of(options)
    watched = watched_paths(environment.get("HANDLERS", ""))
    with ExitStack() as opened:
        try:
            folder = opened.enter_context(state_folder(options))
            with interrupts.held():
                cloud = opened.enter_context(open_cloud(options, folder, environment))
            dev = Dev(cloud, terminal, interrupts)
            opened.callback(dev.stop)
            return dev.once() if options.once else dev.keep(watched)
        except (KeyboardInterrupt, BrokenPipeError):
            return 1 if options.once else 0
        except (PortUnusable, StateUnusable, EmulatorMissing) as error:
            fail(printable(str(error)))
        except ApiError as error:
            fail(printable(f"Pub/Sub cannot be set up: {error}"))
        finally:
            interrupts.ignore()  # the end is not to be interrupted: it leaves nothing behind


class Dev:
    """The workers of one `dev`, one after the other on the same port."""

    def __init__(self, cloud: Cloud, terminal: Terminal, interrupts: Interrupts) -> None:
        self._cloud = cloud
        self._showing = Showing(terminal)
        self._interrupts = interrupts
        self._environment = cloud.plan.environment
        self._service = Service(cloud, self._environment, self._showing.line)
        self._proved = False
        self._showing.say(f"laptop cloud on {cloud.url}  (the page, Pub/Sub and Logging)", "bold")

    def once(self) -> int:
        """Start, prove, stop."""
        url = self._start()
        self._proved = url is not None and self._prove()
        self.stop()
        if self._proved:
            self._showing.say(next_steps(None, self._environment))
        return 0 if self._proved else 1

    def keep(self, paths: Iterable[Path]) -> int:
        """Start, prove, and start again whenever a file changes, until Ctrl-C."""
        from watchfiles import DefaultFilter, watch

        # The laptop cloud itself is not started again: nothing of it is in the worker.
        others = DefaultFilter(ignore_paths=[Path(local.__file__).parent])
        changes = watch(*paths, watch_filter=others, yield_on_timeout=True, rust_timeout=_LOOK_MS)
        next(changes)  # it watches from here on: no change is missed
        self._start_and_prove()
        for changed in changes:
            if changed:
                self._say_changed({path for _, path in changed})
                self.stop()
                self._start_and_prove()
            elif self._service.ended() is not None:
                self._gave_up()
        return 0

    def stop(self) -> int | None:
        """Stop the worker; its exit code, None if there was none."""
        return self._service.stop()

    def _start(self) -> str | None:
        """The address of a worker that is ready; None when it does not get there."""
        with self._interrupts.held():
            self._service.spawn()
        ready = self._service.ready()
        if ready is None:
            self._gave_up()
            return None
        url, features = ready
        self._environment["PORT"] = url.rpartition(":")[2]
        self._showing.say(
            f"ready on {url}, serving {features} feature{'s' * (features != 1)}", "bold green"
        )
        return url

    def _gave_up(self) -> None:
        code = self.stop()
        if code == _CONFIGURATION and not self._proved:
            raise SystemExit(_CONFIGURATION)  # no change of a file mends this
        self._showing.say(f"the server ended with exit code {code}", "bold red")

    def _start_and_prove(self) -> None:
        url = self._start()
        if url is not None and not self._proved:
            self._proved = self._prove()
            if self._proved:
                self._showing.say(next_steps(self._cloud.url, self._environment))
        self._showing.say("waiting for a change; Ctrl-C stops", "dim")

    def _prove(self) -> bool:
        """Publish the smoke test; done means that its canonical entry says so."""
        topic = self._cloud.names.topic
        self._showing.say(f"publishing {PAYLOAD}")
        message_id = self._cloud.broker.publish(topic, PubsubMessage(PAYLOAD.encode()))
        payload = wait_for_outcome(self._cloud.logs, message_id, seconds=_PROOF_SECONDS)
        if payload is None:
            return self._not_proved("it was published, but its log entry did not appear")
        if payload.get("outcome") != "done":
            return self._not_proved(str(payload.get("reason")))
        self._showing.say("the smoke test is done: the entries above are the proof", "bold green")
        return True

    def _not_proved(self, reason: str) -> bool:
        click.echo(f"error: the smoke test is not done: {printable(reason)}", err=True)
        return False

    def _say_changed(self, paths: Iterable[str]) -> None:
        names = [os.path.relpath(path) for path in sorted(paths)]
        more = f" and {len(names) - _CHANGES_SHOWN} more" if len(names) > _CHANGES_SHOWN else ""
        shown = printable(", ".join(names[:_CHANGES_SHOWN]))
        self._showing.say(f"\n{shown}{more} changed: starting again", "bold")
