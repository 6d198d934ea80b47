"""Is this shell's Google the real one? A laptop cloud has Pub/Sub and Logging, and no accounts."""

import os

from worker.project.apis import IAM, PUBSUB

_NO_CREDENTIALS = "CLOUDSDK_AUTH_DISABLE_CREDENTIALS"


def stand_in() -> str:
    """The variable that leads a part of the calls elsewhere, "" where all go to one place."""
    if IAM.endpoint() != IAM.address:
        return ""
    if os.environ.get(PUBSUB.emulator):
        return PUBSUB.emulator
    off = os.environ.get(_NO_CREDENTIALS, "").lower() in ("1", "true", "yes")
    return _NO_CREDENTIALS if off else ""
