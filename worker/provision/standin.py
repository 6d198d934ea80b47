"""Is this shell's Google the real one? A laptop cloud has Pub/Sub and Logging, and no accounts."""

import os

from worker.project.apis import IAM, PUBSUB
from worker.rest import DISABLED_VARIABLE, credentials_disabled


def stand_in() -> str:
    """The variable that leads a part of the calls elsewhere, "" where all go to one place."""
    if IAM.endpoint() != IAM.address:
        return ""
    if os.environ.get(PUBSUB.emulator):
        return PUBSUB.emulator
    return DISABLED_VARIABLE if credentials_disabled() else ""
