"""What Pub/Sub refuses of a message, said in one line before it is sent."""

from worker.explain import shorten
from worker.message import PubsubMessage

# See cloud.google.com/pubsub/quotas#resource_limits.
LARGEST_BYTES = 10_000_000
MOST_ATTRIBUTES = 100
KEY_BYTES = 256
VALUE_BYTES = 1024
ORDERING_KEY_BYTES = 1024


def check(message: PubsubMessage) -> None:
    """Raises ValueError, without values."""
    attributes = message.attributes
    _check_size("the ordering key", message.ordering_key, ORDERING_KEY_BYTES)
    if len(attributes) > MOST_ATTRIBUTES:
        raise ValueError(f"{len(attributes)} attributes are too many ({MOST_ATTRIBUTES} at most)")
    for key, value in attributes.items():
        if not key or key.lower().startswith("goog"):
            raise ValueError("an attribute's name is empty, or begins with goog")
        _check_size("an attribute's name", key, KEY_BYTES)
        _check_size(f"the attribute {shorten(key)}", value, VALUE_BYTES)
    size = len(message.data) + sum(len(f"{k}{v}".encode()) for k, v in attributes.items())
    if size > LARGEST_BYTES:
        raise ValueError(f"the message has {size} bytes ({LARGEST_BYTES} at most)")


def _check_size(what: str, text: str, most: int) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds a lone surrogate") from None
    if size > most:
        raise ValueError(f"{what} has {size} bytes ({most} at most)")
