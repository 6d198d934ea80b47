"""Which fields an update changes: the rules of google.protobuf.FieldMask."""

from collections.abc import Collection
from typing import Any

from google.protobuf import field_mask_pb2

from worker.local.errors import ApiError, Code


def merge(request: Any, field: str, into: Any, mutable: Collection[str]) -> None:
    """Copy the fields that `request.update_mask` names from `request.<field>`.

    A field that is named but not set is cleared. Raises ApiError for a mask that is empty, or that
    names a field that there is not or that cannot be changed.
    """
    call, kind = request.DESCRIPTOR.name, into.DESCRIPTOR.name
    mask = field_mask_pb2.FieldMask(paths=request.update_mask.paths)
    if not mask.paths:
        raise ApiError(
            Code.INVALID_ARGUMENT,
            f"The update_mask in the {call} must be set, and must contain a non-empty paths list.",
        )
    for path in mask.paths:
        wrong = f"Invalid update_mask provided in the {call}: "
        if not field_mask_pb2.FieldMask(paths=[path]).IsValidForDescriptor(into.DESCRIPTOR):
            raise ApiError(
                Code.INVALID_ARGUMENT, f"{wrong}'{path[:100]}' is not a known {kind} field."
            )
        if path.split(".")[0] not in mutable:
            raise ApiError(
                Code.INVALID_ARGUMENT, f"{wrong}the '{path}' field in the {kind} is not mutable."
            )
    mask.MergeMessage(getattr(request, field), into, True, True)  # noqa: FBT003 - protobuf's order
