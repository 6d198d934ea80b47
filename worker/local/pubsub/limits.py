"""What may be published. The texts are the service's where they are known.

Sources: cloud.google.com/pubsub/quotas#resource_limits; the reference of PubsubMessage.
"""

from collections.abc import Sequence

from worker.local.errors import ApiError, Code
from worker.message import PubsubMessage

MOST_MESSAGES = 1000
LARGEST_BYTES = 10_000_000  # a message, and a request
_MOST_ATTRIBUTES = 100
_KEY_BYTES = 256
_VALUE_BYTES = 1024
_ORDERING_KEY_BYTES = 1024
# Reserved for the service, and yet its own client libraries publish attributes of this kind.
_CLIENT_KEYS = "googclient_"
_QUOTAS = "Refer to https://cloud.google.com/pubsub/quotas for more information."


def check_messages(messages: Sequence[PubsubMessage]) -> None:
    """Raises ApiError for a request that the service refuses."""
    if not messages:
        raise _refusal("The request contains no messages. Each request must contain at least one.")
    _check_value("message_count", len(messages), MOST_MESSAGES)
    _check_value("request_size", sum(map(_size, messages)), LARGEST_BYTES)
    for message in messages:
        _check_message(message)
    if len({message.ordering_key for message in messages}) > 1:
        raise ApiError(
            Code.FAILED_PRECONDITION,
            "In a single publish request, all messages must have no ordering key"
            " or they must all have the same ordering key.",
        )


def _check_message(message: PubsubMessage) -> None:
    if not message.data and not message.attributes:
        raise _refusal(
            "One or more messages in the publish request is empty."
            " Each message must contain either non-empty data, or at least one attribute."
        )
    _check_value("attribute_count", len(message.attributes), _MOST_ATTRIBUTES)
    _check_text("The ordering key in the request", message.ordering_key, _ORDERING_KEY_BYTES)
    for key, value in message.attributes.items():
        reserved = key.lower().startswith("goog") and not key.startswith(_CLIENT_KEYS)
        if not key or reserved:
            raise _refusal(
                f"The request contains an attribute key that is not valid (key={key[:_KEY_BYTES]})."
                " Attribute keys must be non-empty and must not begin with 'goog'"
                " (case-insensitive)."
            )
        _check_text("One of the attributes in the request has a key that", key, _KEY_BYTES)
        _check_text(f'The attribute "{key}" in the request has a value that', value, _VALUE_BYTES)


def _check_value(name: str, number: int, most: int) -> None:
    if number > most:
        raise _refusal(
            f"The value for {name} is too large. You passed {number} in the request,"
            f" but the maximum value is {most}. {_QUOTAS}"
        )


def _check_text(what: str, text: str, most: int) -> None:
    if (size := len(_utf8(text))) > most:
        raise _refusal(
            f"{what} is too long. The length is {size} bytes,"
            f" but the maximum allowed is {most}. {_QUOTAS}"
        )


def _size(message: PubsubMessage) -> int:
    pairs = message.attributes.items()
    attributes = sum(len(_utf8(key)) + len(_utf8(value)) for key, value in pairs)
    return len(message.data) + attributes + len(_utf8(message.ordering_key))


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise _refusal("An attribute or an ordering key in the request is not UTF-8.") from None


def _refusal(message: str) -> ApiError:
    return ApiError(Code.INVALID_ARGUMENT, message)
