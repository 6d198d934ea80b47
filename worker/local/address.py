"""Where a running laptop cloud listens, and what a shell has to know of it."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

_FILE = "address.json"  # in the folder of the state, while it runs


@dataclass(frozen=True, slots=True)
class Address:
    """`host` is HOST:PORT of the page and of every API but Pub/Sub, whose is `pubsub`."""

    project: str
    host: str
    pubsub: str

    def variables(self) -> dict[str, str]:
        """What leads gcloud, Google's client libraries and our own commands here."""
        return {
            "PUBSUB_EMULATOR_HOST": self.pubsub,
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": f"http://{self.pubsub}/",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING": f"http://{self.host}/",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN": f"http://{self.host}/",
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING": f"http://{self.host}/",
            "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
            "CLOUDSDK_CORE_PROJECT": self.project,
            "GOOGLE_CLOUD_PROJECT": self.project,
        }


def announce(folder: Path, address: Address) -> None:
    """Write down that this process listens there."""
    (folder / _FILE).write_text(json.dumps({"pid": os.getpid(), **asdict(address)}))


def withdraw(folder: Path) -> None:
    """It does no more."""
    (folder / _FILE).unlink(missing_ok=True)


def running(folder: Path) -> Address | None:
    """Where the laptop cloud with this state listens; None when none does."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads((folder / _FILE).read_text())
        os.kill(found.pop("pid"), 0)
        return Address(**found)
    return None
