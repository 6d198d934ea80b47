"""Message -> FeaturePayload: which feature, for what, with which requirements."""

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, create_model
from pydantic_core import from_json

from worker.explain import explain
from worker.message import Message
from worker.outcome import BadPayload

_FEATURE = re.compile(rb'"feature"\s*:\s*"([a-z][a-z0-9_]*)"')
_NO_REQUIREMENTS: tuple[JsonValue, ...] = (None, "none", "", {})


class FeaturePayload(BaseModel):
    """What the backend publishes: `{"feature": ..., "description": ..., "requirements": ...}`."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", hide_input_in_errors=True)

    feature: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    description: str = ""
    requirements: JsonValue = None

    @property
    def has_requirements(self) -> bool:
        """False for every spelling of "none": absent, null, "none", "" and {}."""
        return self.requirements not in _NO_REQUIREMENTS


_read = FeaturePayload.__pydantic_validator__.validate_json  # as in worker/envelope.py


def payload_model(feature: str, requirements: type[BaseModel]) -> type[FeaturePayload]:
    """The payload of one feature, to validate it together with its requirements, in one pass."""
    fields: dict[str, Any] = {
        "feature": (Literal[feature], ...),
        "requirements": (requirements, ...),
    }
    return create_model("OneFeaturePayload", __base__=FeaturePayload, **fields)


def likely_feature(data: bytes) -> str:
    """What the payload's feature seems to be: a text may say "feature" before the payload does."""
    match = _FEATURE.search(data)
    return match[1].decode() if match else ""


def may_say_no_number(data: bytes) -> bool:
    """Whether NaN or Infinity may stand for a number: the validator's reader would take them."""
    # A letter is found many times faster than a word, and most data has none of the two.
    return (b"N" in data and b"NaN" in data) or (b"I" in data and b"Infinity" in data)


def parse(message: Message) -> FeaturePayload:
    """Validate the message's data straight from its bytes.

    Raises BadPayload when it is not JSON or not a feature payload. Of duplicate keys the last
    one counts, as in every JSON reader that people compare with.
    """
    if not message.data:
        raise BadPayload("the message has no data; want a JSON object with a feature")
    try:
        payload: FeaturePayload = _read(message.data)
    except ValidationError as error:
        raise BadPayload(f"bad payload: {explain(error)}") from None
    if may_say_no_number(message.data):
        _refuse_nan(message.data)
    return payload


def _refuse_nan(data: bytes) -> None:
    """They are not JSON, yet the validator's reader takes them; inside strings they are fine."""
    try:
        from_json(data, allow_inf_nan=False)
    except ValueError:
        raise BadPayload("bad payload: NaN and Infinity are not JSON") from None
