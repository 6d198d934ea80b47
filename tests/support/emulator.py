"""Google's emulators as processes. java is started directly: gcloud would orphan it."""

import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.daemon import Daemon, start_on_free_port
from worker.local.emulator import find_jar

PROJECT = "demo"


@dataclass(frozen=True)
class Kind:
    """One of the emulators."""

    name: str
    component: str  # of gcloud
    jars: str  # beneath gcloud's root, as a glob
    program: Sequence[str]  # what java is to run; {jar} stands for the path
    arguments: Sequence[str]
    ready: bytes  # part of the line that says it listens
    logger: str  # whose line that is: the others say warnings only

    @property
    def not_installed(self) -> str:
        return (
            f"gcloud's {self.name} emulator is not installed "
            f"(gcloud components install {self.component})"
        )


PUBSUB = Kind(
    name="Pub/Sub",
    component="pubsub-emulator",
    jars="platform/pubsub-emulator/lib/cloud-pubsub-emulator-*-all.jar",
    program=("-jar", "{jar}"),
    arguments=(f"--projects={PROJECT},demo-project",),  # the second is that of the fake Google
    ready=b"Server started",
    logger="com.google.cloud.pubsub.testing.v1.Main",
)
FIRESTORE = Kind(
    name="Firestore",
    component="cloud-firestore-emulator",
    jars="platform/cloud-firestore-emulator/cloud-firestore-emulator.jar",
    program=(
        "-cp", "{jar}", "com.google.cloud.datastore.emulator.firestore.CloudFirestore", "start",
    ),
    arguments=(),
    ready=b"Dev App Server is now running",
    logger="com.google.cloud.datastore.emulator.firestore.CloudFirestore",
)  # fmt: skip
KINDS = {"pubsub": PUBSUB, "firestore": FIRESTORE}


@dataclass(frozen=True)
class Installation:
    """Where this machine has what the tests with an emulator need."""

    gcloud: str
    java: str
    jar: Path


def find_installation(kind: Kind = PUBSUB) -> Installation | None:
    """gcloud and java of PATH with the emulator's jar, or None when one is missing."""
    gcloud, java = shutil.which("gcloud"), shutil.which("java")
    if gcloud is None or java is None:
        return None
    jar = find_jar(gcloud, kind.jars)
    return Installation(gcloud, java, jar) if jar else None


class Emulator:
    """An emulator on a free loopback port, with what it says in `log`."""

    def __init__(self, installation: Installation, folder: Path, kind: Kind = PUBSUB) -> None:
        self.log = folder / "emulator.log"
        logging = folder / "logging.properties"
        # At INFO the Pub/Sub emulator writes eight lines for each call.
        logging.write_text(
            f"handlers=java.util.logging.ConsoleHandler\n.level=WARNING\n{kind.logger}.level=INFO\n"
        )
        options = [
            "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC",  # it starts in half the time
            "-Xmx512m",  # it keeps what was acked, or written
            "-Duser.language=en",
            "-Dsun.net.http.retryPost=false",  # else Java itself repeats a push that got no answer
            f"-Djava.util.logging.config.file={logging}",
        ]  # fmt: skip
        program = [word.format(jar=installation.jar) for word in kind.program]
        command = [installation.java, *options, *program, *kind.arguments, "--host=127.0.0.1"]
        self._daemon, port = start_on_free_port(
            lambda port: Daemon(
                [*command, f"--port={port}"], self.log, kind.ready, b'Exception in thread "main"'
            ),
            self.log,
        )
        self.host = f"127.0.0.1:{port}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self.resume()
        self._daemon.stop()

    def pause(self) -> None:
        """From now on it accepts connections, as the kernel does that, and answers nothing."""
        self._daemon.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._daemon.process.send_signal(signal.SIGCONT)
