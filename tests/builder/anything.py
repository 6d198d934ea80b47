"""Any text, and any JSON Schema: right ones, wrong ones, and ones that nothing satisfies."""

from typing import Any

from hypothesis import strategies as st

texts = st.text(max_size=200) | st.text("\"'\\{}%$#\n\r\t`<>[]()|*_~ \u202e\0\u2028", max_size=60)

NAMES = texts | st.sampled_from(
    ["id", "class", "model_config", "__class__", "copy", "schema", "Weight-kg", "weightKg", "self"]
)
LIMITS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "string": st.fixed_dictionaries(
        {},
        optional={
            "minLength": st.integers(-1, 300),
            "maxLength": st.integers(-1, 300),
            "pattern": st.sampled_from(["^[a-z]+$", "(", "(a+)+$", "\\d{3}-x", "\\p{L}", "(?=a)"]),
            "format": st.sampled_from(
                ["uuid", "date", "date-time", "time", "email", "uri", "ipv4", "duration", "regex"]
            ),
            "default": texts,
            "enum": st.lists(texts, max_size=3),
        },
    ),
    "integer": st.fixed_dictionaries(
        {},
        optional={
            "minimum": st.integers(),
            "exclusiveMaximum": st.integers() | st.floats(),
            "multipleOf": st.integers(-1, 7),
            "default": st.integers() | texts,
            "enum": st.lists(st.integers() | st.none(), max_size=3),
        },
    ),
    "number": st.fixed_dictionaries(
        {}, optional={"minimum": st.floats(), "maximum": st.floats(), "multipleOf": st.floats(0, 1)}
    ),
    "boolean": st.fixed_dictionaries({}, optional={"default": st.booleans()}),
    "null": st.just({}),
}
scalars = st.sampled_from(sorted(LIMITS)).flatmap(
    lambda kind: st.tuples(LIMITS[kind], st.fixed_dictionaries({}, optional={"description": texts}))
    .map(lambda parts: {"type": kind, **parts[0], **parts[1]})
)  # fmt: skip
subschemas = st.recursive(
    scalars | st.just({"$ref": "#/$defs/Other"}) | st.just({"const": None}) | st.booleans(),
    lambda inner: (
        st.builds(
            lambda items, n: {"type": "array", "items": items, "minItems": n},
            inner,
            st.integers(0, 3),
        )
        | st.builds(lambda some: {"anyOf": some}, st.lists(inner, min_size=1, max_size=3))
        | st.builds(lambda some: {"allOf": some}, st.lists(inner, min_size=1, max_size=2))
        | st.dictionaries(NAMES, inner, max_size=2).map(
            lambda properties: {"type": "object", "properties": properties}
        )
    ),
    max_leaves=5,
)
schemas = st.dictionaries(NAMES, subschemas, max_size=4).flatmap(
    lambda properties: st.builds(
        lambda required, other: {
            "type": "object",
            "properties": properties,
            "required": required,
            "$defs": {"Other": other},
        },
        st.lists(st.sampled_from(sorted(properties)), unique=True) if properties else st.just([]),
        subschemas,
    )
)
