"""Messages that a worker has to take well although nobody should send them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Preset:
    """A payload for the free form."""

    name: str
    label: str
    payload: str
    encoding: str = "text"


PRESETS = (
    Preset("unknown", "A feature that nobody handles", '{"feature": "smok_test"}'),
    Preset(
        "field",
        "A field that nobody knows",
        '{"feature": "smoke_test", "requirements": {"nonse": "n-1"}}',
    ),
    Preset("broken", "Broken JSON", '{"feature": "smoke_test", "description": '),
    Preset("plain", "No JSON at all", "hello"),
    Preset("number", "NaN for a number", '{"feature": "smoke_test", "requirements": NaN}'),
    Preset("deep", "Nested too deeply", "[" * 1000),
    Preset("bytes", "Bytes that are no text", "gIGCg//+", "base64"),
)
