"""A request of HTTP as a protobuf message: fields from the path, the query and a JSON body.

Source: google.api.http (google/api/http.proto). What is wrong is told by the names of fields,
never by their values: those may be a payload.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from google.protobuf import json_format

from worker.local.errors import ApiError, Code
from worker.local.pubsub.routes import Route

# What every Google API takes beside the fields of a request; nothing here depends on them.
_SYSTEM = re.compile(
    r"\$?(alt|prettyPrint|xgafv|\.xgafv|fields|key|access_token|oauth_token|callback|quotaUser"
    r"|upload_protocol|uploadType)"
)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,3}={0,2})?")
_UNKNOWN = re.compile(r'has no field named "([^"]*)" at "\w+\.?([^"]*)"')
_FIELD = re.compile(r"Failed to parse (\w+) field")
_WITHOUT_BODY = ("GET", "DELETE")


def read_request(route: Route, resource: str, query: Iterable[tuple[str, str]], body: bytes) -> Any:
    """The protobuf message that the call of `route` takes. Raises ApiError."""
    fields: dict[str, Any] = {}
    if route.method not in _WITHOUT_BODY and body.strip():
        fields = _object(body)
    for name, value in query:
        if not _SYSTEM.fullmatch(name):
            _put(fields, name, value)
    _check_data(fields)
    _camel_mask(fields)
    message = _message(route.request, fields)
    *parents, last = route.field.split(".")
    target = message
    for parent in parents:
        target = getattr(target, parent)
    setattr(target, last, resource)
    return message


def _object(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        raise _refusal("The body is not JSON.") from None
    if not isinstance(fields, dict):
        raise _refusal('Unknown name "": Root element must be a message.')
    return fields


def _put(fields: dict[str, Any], name: str, value: str) -> None:
    """Set a field from the query: `a.b` is the field b of the field a."""
    *parents, last = name.split(".")
    for parent in parents:
        fields = fields.setdefault(parent, {})
        if not isinstance(fields, dict):
            raise _refusal(f'Unknown name "{name[:100]}": Cannot bind query parameter.')
    fields[last] = value


def _check_data(fields: dict[str, Any]) -> None:
    """json_format skips what is not base64: the publisher would never know."""
    messages = fields.get("messages")
    for number, message in enumerate(messages if isinstance(messages, list) else []):
        data = message.get("data") if isinstance(message, dict) else None
        if isinstance(data, str) and not _BASE64.fullmatch(data):
            raise ApiError(
                Code.INVALID_ARGUMENT,
                f"Invalid value at 'messages[{number}].data' (TYPE_BYTES), Base64 decoding failed.",
            )


def _camel_mask(fields: dict[str, Any]) -> None:
    """json_format wants the paths of a mask in camel case; the API takes both spellings."""
    for name in ("updateMask", "update_mask"):
        if isinstance(mask := fields.get(name), str):
            fields[name] = re.sub(r"_+([a-z0-9])", lambda found: found[1].upper(), mask)


def _message(kind: Any, fields: dict[str, Any]) -> Any:
    try:
        return json_format.ParseDict(fields, kind())
    except json_format.ParseError as error:
        raise _explained(str(error)) from None
    except (ValueError, TypeError, AttributeError, RecursionError, OverflowError):
        raise _refusal("A field has a value of a kind that it cannot have.") from None


def _explained(error: str) -> ApiError:
    if found := _UNKNOWN.search(error):
        name, where = found.groups()
        at = f" at '{where}'" if where else ""
        return _refusal(f'Unknown name "{name[:100]}"{at}: Cannot find field.')
    fields = ".".join(_FIELD.findall(error))
    if not fields:
        return _refusal("A field has a value of a kind that it cannot have.")
    return ApiError(Code.INVALID_ARGUMENT, f"Invalid value at '{fields[:300]}'.")


def _refusal(reason: str) -> ApiError:
    return ApiError(Code.INVALID_ARGUMENT, f"Invalid JSON payload received. {reason}")
