"""Names of resources, and the errors that name them.

Source: cloud.google.com/pubsub/docs/pubsub-basics#resource_names; the texts are the service's.
"""

import re

from worker.local.errors import ApiError, Code

DELETED_TOPIC = "_deleted-topic_"
_PROJECT = r"[A-Za-z0-9][A-Za-z0-9.:_-]*"
_ID = re.compile(r"(?!goog)[A-Za-z][A-Za-z0-9\-_.~+%]{2,254}")
_RULES = "Refer to https://cloud.google.com/pubsub/docs/pubsub-basics#resource_names"


def check_name(name: str, collection: str) -> str:
    """`projects/P/<collection>/<id>` by the rules for a new resource. Raises ApiError."""
    found = re.fullmatch(rf"projects/{_PROJECT}/{collection}/(.*)", name, re.DOTALL)
    if found is None or _ID.fullmatch(found[1]) is None:
        raise ApiError(
            Code.INVALID_ARGUMENT,
            f"Invalid resource name given (name={name[:300]}). {_RULES} for more information.",
        )
    return name


def check_project(name: str) -> str:
    """`projects/P`. Raises ApiError."""
    if re.fullmatch(rf"projects/{_PROJECT}", name) is None:
        raise ApiError(
            Code.INVALID_ARGUMENT,
            f"Invalid resource name given (name={name[:300]}). {_RULES} for more information.",
        )
    return name


def not_found(name: str) -> ApiError:
    """The answer to a call for a resource that is not there."""
    return ApiError(Code.NOT_FOUND, f"Resource not found (resource={_short(name)}).")


def already_exists(name: str) -> ApiError:
    """The answer to the creation of a resource that is there."""
    return ApiError(
        Code.ALREADY_EXISTS, f"Resource already exists in the project (resource={_short(name)})."
    )


def _short(name: str) -> str:
    return name.rpartition("/")[2]
