"""Topics and subscriptions as they are asked for: checked, and with the defaults filled in.

Source: the comments of google/pubsub/v1/pubsub.proto.
"""

import ipaddress
import re
from typing import Any
from urllib.parse import urlsplit

from worker.local.errors import ApiError, Code
from worker.local.pubsub.filter import FilterError, parse
from worker.local.pubsub.names import check_name
from worker.local.pubsub.protos import duration, seconds_of

_MINUTE = 60.0
_DAY = 86_400.0
_RETENTION = (10 * _MINUTE, 31 * _DAY)
_DEFAULT_RETENTION = 7 * _DAY
_EXPIRATION = (_DAY, 10_000 * 365 * _DAY)  # the most that a Duration can be
_DEFAULT_EXPIRATION = 31 * _DAY
_ACK_DEADLINE = (10, 600)
_BACKOFF = (0.0, 600.0)
_DEFAULT_BACKOFF = (10.0, 600.0)
_ATTEMPTS = (5, 100)
_MOST_LABELS = 64
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")
# What would need a service that is not there, or would change messages: refused, not ignored.
_NO_TOPIC_FIELDS = ("schema_settings", "ingestion_data_source_settings", "message_transforms")
_NO_SUBSCRIPTION_FIELDS = (
    "bigquery_config",
    "cloud_storage_config",
    "bigtable_config",
    "message_transforms",
)


def check_topic(topic: Any) -> None:
    """Raises ApiError for settings that a topic cannot have."""
    _check_present(topic, _NO_TOPIC_FIELDS)
    _check_labels(topic)
    if topic.HasField("message_retention_duration"):
        _check_range(topic, "message_retention_duration", _RETENTION)


def complete_subscription(subscription: Any) -> None:
    """Fill the defaults in. Raises ApiError for settings that a subscription cannot have.

    Whether its topics are there is not looked at.
    """
    _check_present(subscription, _NO_SUBSCRIPTION_FIELDS)
    _check_labels(subscription)
    _complete_deadline(subscription)
    _default(subscription, "message_retention_duration", _DEFAULT_RETENTION)
    _check_range(subscription, "message_retention_duration", _RETENTION)
    _complete_expiration(subscription)
    if subscription.HasField("retry_policy"):
        _complete_retry(subscription.retry_policy)
    if subscription.HasField("dead_letter_policy"):
        _complete_dead_letter(subscription.dead_letter_policy)
    _check_push(subscription)
    _check_filter(subscription.filter)


def _check_present(resource: Any, fields: tuple[str, ...]) -> None:
    present = {field.name for field, _ in resource.ListFields()}
    for name in fields:
        if name in present:
            raise ApiError(
                Code.UNIMPLEMENTED, f"The laptop cloud has no {name}: leave the field out."
            )


def _check_labels(resource: Any) -> None:
    if len(resource.labels) > _MOST_LABELS:
        raise _refusal(f"Invalid labels given: there are more than {_MOST_LABELS}.")
    for key, value in resource.labels.items():
        if not (_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value)):
            raise _refusal(
                f"Invalid label given (key={key[:63]}): want at most 63 lower-case letters, digits,"
                " underscores and dashes, and a key that begins with a letter."
            )


def _complete_deadline(subscription: Any) -> None:
    least, most = _ACK_DEADLINE
    seconds = subscription.ack_deadline_seconds or least
    if not least <= seconds <= most:
        raise _refusal(
            f"Invalid ack deadline given (ack_deadline_seconds={seconds})."
            f" The value must be between {least} and {most} seconds."
        )
    subscription.ack_deadline_seconds = seconds


def _complete_expiration(subscription: Any) -> None:
    if not subscription.HasField("expiration_policy"):
        subscription.expiration_policy.ttl.CopyFrom(duration(_DEFAULT_EXPIRATION))
    if subscription.expiration_policy.HasField("ttl"):
        _check_range(subscription.expiration_policy, "ttl", _EXPIRATION)


def _complete_retry(policy: Any) -> None:
    for name, default in zip(("minimum_backoff", "maximum_backoff"), _DEFAULT_BACKOFF, strict=True):
        _default(policy, name, default)
        _check_range(policy, name, _BACKOFF)
    if seconds_of(policy.minimum_backoff) > seconds_of(policy.maximum_backoff):
        raise _refusal("Invalid retry_policy given: minimum_backoff exceeds maximum_backoff.")


def _complete_dead_letter(policy: Any) -> None:
    check_name(policy.dead_letter_topic, "topics")
    least, most = _ATTEMPTS
    attempts = policy.max_delivery_attempts or least
    if not least <= attempts <= most:
        raise _refusal(
            f"Invalid max_delivery_attempts given (max_delivery_attempts={attempts})."
            f" The value must be between {least} and {most}."
        )
    policy.max_delivery_attempts = attempts


def _check_push(subscription: Any) -> None:
    subscription.push_config.SetInParent()  # `pushConfig: {}` says that it is pulled
    push = subscription.push_config
    if not push.push_endpoint:
        return
    if subscription.enable_exactly_once_delivery:
        raise _refusal("Exactly-once delivery is not supported for push subscriptions.")
    if not _is_endpoint(push.push_endpoint):
        raise _refusal(
            f"Invalid push endpoint given (endpoint={push.push_endpoint[:300]}):"
            " want an https URL, or an http URL of this machine."
        )
    if push.HasField("oidc_token") and "@" not in push.oidc_token.service_account_email:
        raise _refusal(
            "Invalid oidc_token given: service_account_email must be the address of an account."
        )


def _is_endpoint(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # a port that is none, a bracket that is not closed
        return False
    if not host or port == 0 or re.search(r"[\s\x00-\x20\x7f]", url):
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _check_filter(text: str) -> None:
    try:
        if text:
            parse(text)
    except FilterError as error:
        raise _refusal(f"Invalid filter given: {error}.") from None


def _default(resource: Any, field: str, seconds: float) -> None:
    if not resource.HasField(field):
        getattr(resource, field).CopyFrom(duration(seconds))


def _check_range(resource: Any, field: str, bounds: tuple[float, float]) -> None:
    least, most = bounds
    seconds = seconds_of(getattr(resource, field))
    if not least <= seconds <= most:
        raise _refusal(
            f"Invalid {field} given: the value must be between {least:.0f} and {most:.0f} seconds."
        )
    getattr(resource, field).CopyFrom(duration(seconds))  # a client may have split it wrongly


def _refusal(message: str) -> ApiError:
    return ApiError(Code.INVALID_ARGUMENT, message)
