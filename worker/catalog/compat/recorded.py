"""Recorded messages, and those that today's features would refuse though the old ones took them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from worker.catalog.compat.validation import SchemasInvalid, validator_of
from worker.desk import DeskFailed
from worker.desk.check import check
from worker.desk.folder import FolderPlace
from worker.desk.held import Held
from worker.desk.reading import of_record
from worker.envelope import decode
from worker.message import Form, Message, Push
from worker.outcome import BadEnvelope
from worker.registry import Features

_ENDS = (".json", ".jsonl", ".ndjson")


class Recorded:
    """Counts the messages that it looks at: `read` all of them, `taken` by the old schemas."""

    def __init__(self, schemas: Mapping[str, Any], features: Features) -> None:
        self._validators = {name: validator_of(schema) for name, schema in schemas.items()}
        self._features = features
        self.read = self.taken = 0

    def refused(self, messages: Iterable[Held]) -> Iterator[str]:
        """A sentence for each that would not be taken any more."""
        for held in messages:
            self.read += 1
            if held.message is None or not self._was_taken(held.message):
                continue
            self.taken += 1
            verdict = check(held, self._features)
            if not verdict.passes:
                number = f" (message {held.message.id})" if held.message.id else ""
                yield f"{held.id}{number}: {verdict.reason}"

    def _was_taken(self, message: Message) -> bool:
        try:
            payload = json.loads(message.data)
            validator = self._validators.get(payload["feature"])
            return validator is not None and validator.is_valid(payload)
        except (ValueError, LookupError, TypeError, RecursionError):
            return False  # no payload at all


def quarantined(folder: Path) -> Iterator[Held]:
    """The messages of a quarantine folder. Raises SchemasInvalid."""
    try:
        yield from FolderPlace(folder).messages()
    except DeskFailed as failed:
        raise SchemasInvalid(str(failed)) from None


def recorded(place: Path) -> Iterator[Held]:
    """The messages of a file, or of the files in a folder. Raises SchemasInvalid."""
    paths = [place]
    if place.is_dir():
        paths = sorted(path for path in place.iterdir() if path.suffix in _ENDS)
        if not paths:
            raise SchemasInvalid(f"{place}: no messages there (want {', '.join(_ENDS)})")
    for path in paths:
        for number, item in enumerate(_items(path), 1):
            yield _held(f"{path}:{number}", item)


def _items(path: Path) -> list[Any]:
    """JSON values: the one of the file, those of its list, or one on each line."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SchemasInvalid(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SchemasInvalid(f"{path}: not UTF-8 text") from None
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        return [_line(path, number, line) for number, line in _lines(text)]
    return whole if isinstance(whole, list) else [whole]


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _line(path: Path, number: int, line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise SchemasInvalid(f"{path}: neither JSON nor JSON lines, see line {number}") from None


def _held(place: str, item: Any) -> Held:
    """A record of the quarantine, a push, a pulled message, a PubsubMessage, or a payload."""
    if not isinstance(item, dict):
        raise SchemasInvalid(f"{place}: no message (want a JSON object)")
    data = json.dumps(item).encode()
    if "body" in item and "headers" in item:
        held = of_record(place, data)
        if held.foreign:
            raise SchemasInvalid(f"{place}: {held.reason}")
        return held
    if "messageId" in item:
        item = {"message": item}
        data = json.dumps(item).encode()
    if "message" not in item:
        return Held(place, "", message=Message("", data, {}, Form.UNWRAPPED))
    try:
        return Held(place, "", message=decode(Push((), data)))
    except BadEnvelope as bad:
        raise SchemasInvalid(f"{place}: {bad.reason}") from None
