"""Orders that the tests of the engine build."""

from typing import Any

from worker.builder.order import Order

VET_VISIT: dict[str, Any] = {
    "pet_id": "uuid",
    "weight_kg": "float > 0",
    "due": "date",
    "notes": "string?",
}
PERSON: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "description": "Whose pet it is.",
    "properties": {
        "class": {"enum": ["cat", "dog"], "description": "a keyword's name"},
        "password": {"type": "string", "default": "hunter2", "minLength": 1},
        "folder": {"type": "string", "default": "/tmp/pets"},
        "owner": {"$ref": "#/$defs/Owner"},
        "weights": {
            "type": "array",
            "items": {"type": "number", "exclusiveMinimum": 0},
            "minItems": 2,
            "maxItems": 9,
        },
        "note": {"type": ["string", "null"], "minLength": 140},
    },
    "required": ["class", "owner", "weights", "note"],
    "$defs": {
        "Owner": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "since": {"type": "string", "format": "date"},
            },
            "required": ["name"],
        }
    },
}
PLAIN = Order("vet_visit", "Record a visit to the vet.\n\nIt is kept for ten years.", VET_VISIT)
RICH = Order("register_pet", "Register a pet.", PERSON)
NONE = Order("nightly_ping", "", "none")
SENTENCE = Order("smoke_signal", "Say that it burns.", "Write one entry, and nothing else.")
