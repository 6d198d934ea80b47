"""Conditions that are no comparison: a text on its own, and the functions.

Source: Logging query language, global restrictions, functions.
"""

import functools
from collections.abc import Callable, Iterator, Mapping
from hashlib import blake2b
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import unquote

from worker.local.lql.casting import number_text
from worker.local.lql.containers import has_anywhere
from worker.local.lql.paths import MISSING, Entry, Several, leaves, raw_reader, reader
from worker.local.lql.schema import CONTAINERS, LOG_ENTRY, Kind, Target, Type
from worker.local.lql.searching import read_query
from worker.local.lql.text import fold

Test = Callable[[Entry], bool]
_LONGEST = 64  # characters; no address or range has as many
_MOST_HASH = (1 << 64) - 1


def any_field(text: str) -> Test:
    """Whether some field that the entry has, or a value in its payload, has the text."""
    return has_anywhere(LOG_ENTRY, text)


def log_id(wanted: str) -> Test:
    """Whether the entry is of the log; its name in logName is URL-escaped, here it need not be."""
    right = fold(unquote(wanted))

    def test(entry: Entry) -> bool:
        _, slash, name = _log_name(entry).partition("/logs/")
        return bool(slash) and fold(unquote(name)) == right

    return test


def source(resource: str) -> Test:
    """Whether the entry was written to this resource itself."""
    prefix = fold(resource) + "/logs/"
    return lambda entry: fold(_log_name(entry)).startswith(prefix)


def _log_name(entry: Entry) -> str:
    name = entry.get("logName")
    return name if isinstance(name, str) else ""


def text_search(target: Target | None, query: str) -> Test:
    """Whether the entry, or one field of it, has all the terms."""
    found_in = read_query(query).found_in
    if target is None:
        return lambda entry: found_in(texts_in(LOG_ENTRY, entry))
    raw, of = raw_reader(target), target.type

    def test(entry: Entry) -> bool:
        value = raw(entry)
        values = value if isinstance(value, Several) else [value]
        return found_in(text for one in values for text in texts_in(of, one))

    return test


def texts_in(of: Type, value: Any) -> Iterator[str]:
    """All text in a JSON value of that type; a severity, a time and the like are no text."""
    if of.kind is Kind.MESSAGE:
        messages = value if of.repeated and isinstance(value, list) else [value]
        for message in messages:
            for name, inner in message.items() if isinstance(message, Mapping) else ():
                if name in of.fields:
                    yield from texts_in(of.fields[name], inner)
    elif of.kind in CONTAINERS or of.kind in {Kind.STRING, Kind.LABEL, Kind.OPEN}:
        yield from (leaf for leaf in leaves(value) if isinstance(leaf, str))


def sample(target: Target, fraction: float) -> Test:
    """Whether the hash of the field falls into the fraction; never for a key that is missing."""
    read = reader(target)

    def chosen(value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return False
        text = value if isinstance(value, str) else number_text(value)
        digest = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest, "big") / _MOST_HASH <= fraction

    def test(entry: Entry) -> bool:
        value = read(entry)
        return any(map(chosen, value)) if isinstance(value, Several) else chosen(value)

    return test


def in_net(target: Target, subnet: str) -> Test:
    """Whether the field has an address, or a range, that lies in the subnet."""
    read, outer = reader(target), ip_network(subnet, strict=False)

    def inside(value: Any) -> bool:
        return isinstance(value, str) and len(value) <= _LONGEST and _is_inside(value, outer)

    def test(entry: Entry) -> bool:
        value = read(entry)
        if value is MISSING:
            return False
        return any(map(inside, value)) if isinstance(value, Several) else inside(value)

    return test


@functools.lru_cache(maxsize=1024)
def _is_inside(text: str, outer: IPv4Network | IPv6Network) -> bool:
    try:
        inner = ip_network(text, strict=False)
    except ValueError:
        return False
    return (
        inner.version == outer.version
        and inner.prefixlen >= outer.prefixlen
        and inner.network_address in outer
    )
