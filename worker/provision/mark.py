"""The mark on everything that provision made, by which it finds what it may remove."""

from collections.abc import Mapping
from typing import Any

NAME = "managed-by"
VALUE = "feature-worker"
LABELS = {NAME: VALUE}
FLAG = f"{NAME}={VALUE}"  # as gcloud takes labels
TEXT = "Made by python -m worker provision."  # where there are no labels
NOT_OURS = "stays: it was not made by provision"


def labelled(resource: Mapping[str, Any], field: str = "labels") -> bool:
    """Whether it has our label."""
    labels: Mapping[str, str] = resource.get(field, {})
    return labels.get(NAME) == VALUE


def described(resource: Mapping[str, Any]) -> bool:
    """Whether its description says that it is ours."""
    return TEXT in str(resource.get("description", ""))
