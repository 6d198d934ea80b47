"""Google's Pub/Sub emulator as a process. java is started directly: gcloud would orphan it."""

import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import requests

from worker.local.listening import listen

_JARS = "platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar"
_START_SECONDS = 30.0
_LOOK_SECONDS = 0.1
_STOP_SECONDS = 5.0


class EmulatorMissing(Exception):
    """It is not installed, or does not start. One line: what to install."""


class Emulator:
    """Serves at `host` until `stop`. Raises EmulatorMissing."""

    def __init__(self, folder: Path) -> None:
        java, jar = _installed()
        quiet = folder / "emulator-logging.properties"  # at INFO it writes eight lines for a call
        quiet.write_text("handlers=java.util.logging.ConsoleHandler\n.level=SEVERE\n")
        port = _free_port()
        self.host = f"127.0.0.1:{port}"
        command = [
            java,
            "-XX:TieredStopAtLevel=1",
            "-XX:+UseSerialGC",
            "-Xmx512m",  # it keeps what was acked
            "-Dsun.net.http.retryPost=false",  # else Java itself repeats a push without an answer
            f"-Djava.util.logging.config.file={quiet}",
            *("-jar", str(jar), "--host=127.0.0.1", f"--port={port}"),
        ]
        with (folder / "emulator.log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the java and the jar found below
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, process_group=0
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_SECONDS
        while self._process.poll() is None and time.monotonic() < until:
            with suppress(requests.RequestException):
                if requests.get(f"http://{self.host}/", timeout=1.0).ok:
                    return
            time.sleep(_LOOK_SECONDS)
        raise EmulatorMissing("Google's Pub/Sub emulator does not start: see emulator.log")

    def stop(self) -> None:
        """End it. Nothing of what it held is kept."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _installed() -> tuple[str, Path]:
    gcloud, java = shutil.which("gcloud"), shutil.which("java")
    if gcloud is None or java is None:
        lack = "gcloud" if gcloud is None else "java"
        raise EmulatorMissing(f"--emulator needs {lack}, which is not on PATH")
    jar = find_jar(gcloud, _JARS)
    if jar is None:
        raise EmulatorMissing("--emulator needs: gcloud components install pubsub-emulator")
    return java, jar


def find_jar(gcloud: str, jars: str) -> Path | None:
    """The newest of those that a glob finds beneath gcloud's root; None without any."""
    return _newest(Path(gcloud).resolve().parents[1], jars) or _newest(_sdk_root(gcloud), jars)


def _newest(root: Path, jars: str) -> Path | None:
    return max(root.glob(jars), default=None)


def _sdk_root(gcloud: str) -> Path:
    """What gcloud says, for where PATH leads to a wrapper script. It takes a second."""
    command = [gcloud, "info", "--format=value(installation.sdk_root)"]
    found = subprocess.run(  # noqa: S603 - the gcloud of PATH
        command, capture_output=True, text=True, check=False
    )
    return Path(found.stdout.strip() or "/nonexistent")


def _free_port() -> int:
    """It wants a number: 0 would be its own default."""
    with listen(0) as probe:
        port: int = probe.getsockname()[1]
        return port
