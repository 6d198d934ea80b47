"""Filters and entries of one small vocabulary, so that they often match."""

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from worker.local.lql import tree
from worker.local.lql.tree import CastType, Special

TEXTS = [
    "",
    "smoke_test",
    "Smoke_Test",
    "smoke",
    "hello world",
    "Hello%20World",
    "world",
    "5",
    "5.0",
    "-3",
    "1e2",
    "true",
    "FALSE",
    "nan",
    "Infinity",
    "ERROR",
    "200",
    "1.5s",
    "1500ms",
    "2026-11-20T19:24:55.5Z",
    "2026-11-20T20:24:55.500+0100",
    "2026-11-20",
    "\u212a",
    "k",
    "stra\u00dfe",
    "STRASSE",
    "\ufb01x",
    "fix",
    "a\u00adb",
    "ab",
    "10.1.2.3",
    "10.1.2.0/24",
    "1:2::/48",
    "run.googleapis.com/stdout",
    '"\\\n\t',
    "a.b",
    "\x01",
    "projects/p/logs/run.googleapis.com%2Fstdout",
    "projects/p",
    "*",
    "NULL_VALUE",
    "AND",
    "e\u0301",
    "\u00e9",
]
TIMES = [
    "2026-11-20T19:24:55Z",
    "2026-11-20T19:24:55.123456789Z",
    "2026-11-20T20:24:55.5+01:00",
    "2026-11-20T19:24:55.500000+0000",
    "2026-11-20",
    "1969-12-31T23:59:59.5Z",
    "2026-11-20T19:24:55.5",
]
DURATIONS = ["0s", "1.5s", "1500ms", "-0.25s", "90s", "1.5m", "12ns", "0.000000012s"]
SEVERITIES = ["DEFAULT", "info", "Warning", "ERROR", "EMERGENCY", "500", "450"]
WHOLE = ["0", "5", "200", "-3", "404"]
BOOLS = ["true", "False"]
PATTERNS = ["smoke", "^Smoke", "(?i)SMOKE_", "o w", "^$", "[0-9]+", "\u00e9", "[.]com"]
EXTRACTIONS = ["(sm.ke)", r"(\d+)", "^(.*)$", "x(y)?|o(?:k)", "[.](\\d+)"]
NETS = ["10.0.0.0/8", "10.1.2.3", "1:2::/32", "10.1.2.3/24"]
FRACTIONS = [0.01, 0.25, 0.5, 1.0]
QUERIES = [
    "hello",
    "world hello",
    "`hello world`",
    "Smoke `world`",
    "test",
    "`googleapis.com/`",
    "\u00c9",
    "5",
]
KEYS = ["a", "b", "A", "k.x", "method_name", "@type", "value", ""]
ORDERS = ["=", "!=", "<", "<=", ">", ">=", ":"]

TEXT_FIELDS = [
    ("textPayload",), ("logName",), ("trace",), ("resource", "type"), ("httpRequest", "remoteIp"),
    ("operation", "id"), ("errorGroups", "id"), ("sourceLocation", "file"), ("split", "uid"),
]  # fmt: skip
LABEL_FIELDS = [
    ("labels", "a"),
    ("labels", "k.x"),
    ("resource", "labels", "b"),
    ("metadata", "userLabels", "a"),
]
OPEN_FIELDS = [
    ("jsonPayload", "a"), ("jsonPayload", "b"), ("jsonPayload", "a", "b"), ("jsonPayload", "k.x"),
    ("jsonPayload", "a", "a", "b"), ("protoPayload", "a"), ("protoPayload", "methodName"),
    ("protoPayload", "a", "b"), ("metadata", "systemLabels", "a"),
]  # fmt: skip
OBJECTS = [
    ("jsonPayload",),
    ("protoPayload",),
    ("labels",),
    ("resource",),
    ("httpRequest",),
    ("operation",),
    ("errorGroups",),
    ("resource", "labels"),
    ("metadata", "systemLabels"),
    ("metadata",),
]
TYPED: list[tuple[list[tuple[str, ...]], list[str]]] = [
    ([("severity",)], SEVERITIES),
    ([("timestamp",), ("receiveTimestamp",)], TIMES),
    ([("httpRequest", "latency")], DURATIONS),
    (
        [("httpRequest", "status"), ("httpRequest", "requestSize"), ("sourceLocation", "line")],
        WHOLE,
    ),
    ([("operation", "first"), ("traceSampled",), ("httpRequest", "cacheHit")], BOOLS),
]
CASTS = {
    CastType.STRING: (
        [*TEXT_FIELDS, *OPEN_FIELDS, ("timestamp",), ("severity",), ("httpRequest", "latency")],
        TEXTS,
    ),
    CastType.INT64: (
        [*OPEN_FIELDS, ("textPayload",), ("severity",), ("httpRequest", "status")],
        WHOLE,
    ),
    CastType.FLOAT64: (
        [*OPEN_FIELDS, ("textPayload",), ("httpRequest", "status")],
        ["5", "-3", "1e2", "nan"],
    ),
    CastType.BOOL: ([*OPEN_FIELDS, ("textPayload",), ("traceSampled",)], BOOLS),
    CastType.TIMESTAMP: ([*OPEN_FIELDS, ("textPayload",), ("timestamp",)], TIMES),
    CastType.DURATION: ([*OPEN_FIELDS, ("textPayload",), ("httpRequest", "latency")], DURATIONS),
}

texts = st.one_of(
    st.sampled_from(TEXTS), st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)


def fields(paths: list[tuple[str, ...]]) -> st.SearchStrategy[tree.Field]:
    return st.sampled_from(paths).map(tree.Field)


@st.composite
def comparisons(draw: st.DrawFn) -> tree.Node:  # noqa: PLR0911 - one for each shape
    """A comparison that the type of its field allows."""
    textual = fields([*TEXT_FIELDS, *LABEL_FIELDS, *OPEN_FIELDS])
    orders = st.sampled_from(ORDERS)
    shape = draw(st.integers(0, 9))
    if shape <= 2:
        return tree.Comparison(draw(textual), draw(orders), draw(texts))
    if shape == 3:
        return tree.Comparison(
            draw(textual), draw(st.sampled_from(["=~", "!~"])), draw(st.sampled_from(PATTERNS))
        )
    if shape == 4:
        anything = [
            *TEXT_FIELDS,
            *LABEL_FIELDS,
            *OPEN_FIELDS,
            *OBJECTS,
            *(p for ps, _ in TYPED for p in ps),
        ]
        return tree.Comparison(draw(fields(anything)), ":", Special.PRESENT)
    if shape == 5:
        return tree.Comparison(
            draw(fields(OPEN_FIELDS)), draw(st.sampled_from(["=", "!=", ":"])), Special.NULL
        )
    if shape == 6:
        return tree.Comparison(draw(fields(OBJECTS)), ":", draw(texts))
    if shape == 7:
        to = draw(st.sampled_from(list(CastType)))
        paths, literals = CASTS[to]
        operand = tree.Cast(draw(fields(paths)), to, draw(zones(to)))
        return tree.Comparison(operand, draw(orders), draw(st.sampled_from(literals)))
    if shape == 8:
        return draw(extractions())
    paths, literals = draw(st.sampled_from(TYPED))
    return tree.Comparison(draw(fields(paths)), draw(orders), draw(st.sampled_from(literals)))


def zones(to: CastType) -> st.SearchStrategy[str]:
    return st.just("") if to is not CastType.TIMESTAMP else st.sampled_from(["", "UTC"])


@st.composite
def extractions(draw: st.DrawFn) -> tree.Node:
    inner: tree.Operand = draw(fields([*TEXT_FIELDS, *LABEL_FIELDS, *OPEN_FIELDS]))
    if draw(st.booleans()):
        timestamp = tree.Field(("timestamp",))
        inner = tree.Cast(
            timestamp, CastType.STRING, draw(st.sampled_from(["", "America/New_York"]))
        )
    operand = tree.Extract(inner, draw(st.sampled_from(EXTRACTIONS)))
    if draw(st.booleans()):
        whole = tree.Cast(operand, CastType.INT64)
        return tree.Comparison(whole, draw(st.sampled_from(ORDERS)), draw(st.sampled_from(WHOLE)))
    return tree.Comparison(operand, draw(st.sampled_from(ORDERS)), draw(texts))


functions: st.SearchStrategy[tree.Node] = st.one_of(
    texts.map(tree.AnyField),
    st.sampled_from([*SEVERITIES, *DURATIONS, *TIMES]).map(tree.AnyField),
    texts.map(tree.LogId),
    st.sampled_from(["projects/p", "projects/P", "folders/1"]).map(tree.Source),
    st.builds(
        tree.TextSearch,
        st.none() | fields([*TEXT_FIELDS, *LABEL_FIELDS, *OPEN_FIELDS, *OBJECTS]),
        st.sampled_from(QUERIES),
    ),
    st.builds(
        tree.Sample,
        fields([*TEXT_FIELDS, *LABEL_FIELDS, *OPEN_FIELDS, ("httpRequest", "status")]),
        st.sampled_from(FRACTIONS) | st.floats(0, 1, exclude_min=True),
    ),
    st.builds(
        tree.InNet, fields([*TEXT_FIELDS, *LABEL_FIELDS, *OPEN_FIELDS]), st.sampled_from(NETS)
    ),
)
leaves = st.one_of(comparisons(), comparisons(), functions)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        inner.map(tree.Not),
        st.lists(inner, min_size=2, max_size=3).map(tree.all_of),
        st.lists(inner, min_size=2, max_size=3).map(tree.one_of),
    ),
    max_leaves=6,
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from([0, 5, -3, 5.0, 0.5, 100.0, 2**53 + 1, 2.5, -2.5]),
    texts,
    st.sampled_from([*TIMES, *DURATIONS]),
)
json_values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)
    ),
    max_leaves=6,
)
payloads = st.dictionaries(st.sampled_from(KEYS), json_values, max_size=4)
labels = st.dictionaries(st.sampled_from(KEYS), texts, max_size=3)


def _optional(**values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=values)


http_requests = _optional(
    remoteIp=texts,
    status=st.sampled_from([0, 5, 200, 404]),
    requestSize=st.sampled_from(["0", "5", "200"]),
    latency=st.sampled_from(DURATIONS),
    cacheHit=st.booleans(),
    userAgent=texts,
)
well_formed = _optional(
    logName=texts,
    textPayload=texts,
    jsonPayload=payloads,
    protoPayload=payloads,
    trace=texts,
    severity=st.sampled_from([one.upper() for one in SEVERITIES[:5]]),
    labels=labels,
    timestamp=st.sampled_from(TIMES),
    receiveTimestamp=st.sampled_from(TIMES),
    resource=_optional(type=texts, labels=labels),
    httpRequest=http_requests,
    operation=_optional(id=texts, first=st.booleans()),
    traceSampled=st.booleans(),
    sourceLocation=_optional(file=texts, line=st.sampled_from(WHOLE)),
    errorGroups=st.lists(_optional(id=texts), max_size=2),
    split=_optional(uid=texts, index=st.integers(0, 5)),
    metadata=_optional(systemLabels=payloads, userLabels=labels),
)
NAMES = [
    "logName",
    "textPayload",
    "jsonPayload",
    "protoPayload",
    "trace",
    "severity",
    "labels",
    "timestamp",
    "resource",
    "httpRequest",
    "operation",
    "traceSampled",
    "sourceLocation",
    "errorGroups",
    "metadata",
]
malformed = st.builds(
    lambda entry, wrong: {**entry, **wrong},
    well_formed,
    st.dictionaries(st.sampled_from(NAMES), json_values, min_size=1, max_size=3),
)
entries = st.one_of(well_formed, well_formed, malformed)


@st.composite
def entries_for(draw: st.DrawFn, node: tree.Node) -> dict[str, Any]:
    """An entry in which the fields that a filter names are likely to have what it wants."""
    entry: dict[str, Any] = copy.deepcopy(draw(entries))
    for leaf in _leaves(node):
        for field in tree.fields_of(leaf):
            if draw(st.integers(0, 3)):
                _put(entry, field.path, draw(wanted(leaf)))
    return entry


def _leaves(node: tree.Node) -> Iterator[tree.Node]:
    for part in getattr(node, "parts", None) or [getattr(node, "part", None)]:
        if part is None:
            yield node
        else:
            yield from _leaves(part)


def wanted(leaf: tree.Node) -> st.SearchStrategy[Any]:
    """Values near to what the leaf compares with."""
    near: list[Any]
    match leaf:
        case tree.Comparison(_, _, str(value)):
            near = [value, value.upper(), f"x{value}", [value, "x"], {"a": value, value: 1}]
        case tree.TextSearch(_, query):
            words = query.replace("`", "")
            near = [words, words.upper(), f"see: {words}.", words.replace(" ", "%20"), [words]]
        case tree.InNet():
            near = ["10.1.2.3", "10.1.2.0/25", ["::", "10.9.9.9"], "1:2::1", "10.0.0.0/7", 5]
        case _:
            near = ["a", 5, 5.0, True, None, ["smoke_test", 0.5], {"a": {"b": "x"}}]
    return st.sampled_from(near) | json_values


def _put(entry: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    here = entry
    for name in path[:-1]:
        if not isinstance(here.get(name), dict):
            here[name] = {}
        here = here[name]
    here[path[-1]] = value


cases = trees.flatmap(lambda node: st.tuples(st.just(node), entries_for(node)))
