"""Requirements -> the JSON that the worker reads as the same."""

import json
import re
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from worker.explain import explain

_FEATURE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_OMITTED: tuple[dict[str, Any], ...] = ({"exclude_unset": True}, {"exclude_none": True}, {})


def encoded(feature: str | None, description: str, requirements: BaseModel | str | None) -> bytes:
    """The data of the message. Raises ValueError."""
    name = _feature_of(requirements, feature)
    if not _FEATURE.fullmatch(name):
        raise ValueError("feature is no feature name (want a-z, then a-z, 0-9 and _, at most 64)")
    wanted = _as_json(requirements)
    payload = {"feature": name, "description": description, "requirements": wanted}
    try:
        return json.dumps(payload, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError("a text of the payload holds a lone surrogate") from None


def _feature_of(requirements: BaseModel | str | None, given: str | None) -> str:
    """Who takes the class, if that is one feature; a class that inherits from it is another."""
    kind = type(requirements)
    names: tuple[str, ...] = vars(kind).get("feature_names", ())
    if given and (not names or given in names):
        return given
    if given:
        raise ValueError(f"{kind.__name__} belongs to {', '.join(names)}, not to that feature")
    if not names:
        raise ValueError("the requirements do not say whose they are: give feature=")
    if len(names) > 1:
        raise ValueError(f"{kind.__name__} belongs to {', '.join(names)}: say which with feature=")
    return names[0]


def _as_json(requirements: BaseModel | str | None) -> Any:
    """As little as its class reads back as the same: what was set, unless a tag has a default."""
    if not isinstance(requirements, BaseModel):
        return requirements
    kind, text = type(requirements), ""
    try:
        for omitted in _OMITTED:
            text = requirements.model_dump_json(by_alias=True, warnings="error", **omitted)
            if _reads_back(text, requirements):
                return json.loads(text)
        kind.model_validate_json(text)  # what its own class refuses, the worker would refuse
    except ValidationError as error:
        why = explain(error, "requirements")
        raise ValueError(f"{kind.__name__} does not take its own values: {why}") from None
    except PydanticSerializationError:
        raise ValueError(f"{kind.__name__} holds a value that JSON has no place for") from None
    return json.loads(text)


def _reads_back(text: str, requirements: BaseModel) -> bool:
    try:
        return type(requirements).model_validate_json(text) == requirements
    except ValidationError:
        return False
