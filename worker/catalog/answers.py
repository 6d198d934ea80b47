"""What the HTTP edge answers, as OpenAPI responses: every status, its body, what it means."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from worker.outcome import OUTCOMES, Outcome

Json = dict[str, Any]

# Before anybody knows which path it is about: worker/http1.py answers these.
_UNREADABLE = {
    400: "The request is not HTTP/1.1.",
    405: "The path takes another method: `Allow` says which.",
    414: "The path is longer than 4,094 bytes.",
    417: "The only expectation is 100-continue.",
    431: "More than 256 headers, one of more than 8,190 bytes, or more than 256 KiB together.",
    501: "The method is none of HTTP's, or the transfer coding is not chunked.",
}


def fields(properties: Mapping[str, Json], **more: Any) -> Json:
    """The schema of an object with exactly these fields."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
        **more,
    }


def response(description: str, schema: Json | None) -> Json:
    """An OpenAPI response, with JSON or, where the schema is None, nothing in its body."""
    if schema is None:
        return {"description": description}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def of_pushes() -> Json:
    """The responses to POST /."""
    rows: defaultdict[int, list[Outcome]] = defaultdict(list)
    for outcome in OUTCOMES:
        for status in outcome.statuses:
            rows[status].append(outcome)
    return unreadable() | {str(status): _of_outcomes(rows[status]) for status in sorted(rows)}


def _of_outcomes(outcomes: Iterable[Outcome]) -> Json:
    names = [one.name for one in outcomes]
    meaning = "\n".join(f"- `{one.name}`: {one.message}" for one in outcomes)
    schema = {
        "allOf": [{"$ref": "#/components/schemas/Answer"}],
        "properties": {"outcome": {"enum": names}},
    }
    return response(meaning, schema)


def answer_schema() -> Json:
    """The schema of what a push is answered."""
    text = "A sentence, without what was sent. With 401, 403 and 429 it does not say why."
    message_id = "None where the message could not be read."
    return fields(
        {
            "outcome": {"type": "string", "enum": [one.name for one in OUTCOMES]},
            "message_id": {"type": ["string", "null"], "description": message_id},
            "reason": {"type": "string", "description": text},
        },
        title="Answer",
        description="How the push ended: for the person with curl, Pub/Sub looks at the status.",
    )


def error_schema() -> Json:
    """The schema of what anything but a push is answered when it fails."""
    return fields(
        {
            "error": {"type": "string", "description": "The name of the status."},
            "reason": {"type": "string", "description": "What is wrong, and what to do."},
        },
        title="Error",
    )


def unreadable() -> Json:
    """References to the responses that every path may give."""
    return {
        str(status): {"$ref": f"#/components/responses/{_name(status)}"} for status in _UNREADABLE
    }


def shared() -> Json:
    """Those responses, for the document's components."""
    error = {"$ref": "#/components/schemas/Error"}
    made = {_name(status): response(text, error) for status, text in _UNREADABLE.items()}
    made[_name(405)]["headers"] = {"Allow": {"required": True, "schema": {"type": "string"}}}
    return made


def _name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "")
