"""Message -> FeaturePayload: which feature, for what, with which requirements."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from pydantic_core import from_json

from worker.explain import explain
from worker.message import Message
from worker.outcome import BadPayload

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


def parse(message: Message) -> FeaturePayload:
    """Validate the message's data straight from its bytes.

    Raises BadPayload when it is not JSON or not a feature payload. Of duplicate keys the last
    one counts, as in every JSON reader that people compare with.
    """
    if not message.data:
        raise BadPayload("the message has no data; want a JSON object with a feature")
    try:
        payload = FeaturePayload.model_validate_json(message.data)
    except ValidationError as error:
        raise BadPayload(f"bad payload: {explain(error)}") from None
    if b"NaN" in message.data or b"Infinity" in message.data:
        _refuse_nan(message.data)
    return payload


def _refuse_nan(data: bytes) -> None:
    """They are not JSON, yet the validator's reader takes them; inside strings they are fine."""
    try:
        from_json(data, allow_inf_nan=False)
    except ValueError:
        raise BadPayload("bad payload: NaN and Infinity are not JSON") from None
