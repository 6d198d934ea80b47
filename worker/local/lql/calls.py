"""The functions that are conditions: what they take.

Source: Logging query language, functions.
"""

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_network

from worker.local.lql import tree
from worker.local.lql.arguments import (
    TEXTS,
    arguments_of,
    field_argument,
    text_argument,
    unknown,
)
from worker.local.lql.errors import Problem, shown
from worker.local.lql.lefts import make_operand
from worker.local.lql.schema import CONTAINERS, Kind
from worker.local.lql.searching import SearchError, read_query
from worker.local.lql.values import to_double
from worker.local.lql.words import Call, is_quoted, position_of, text_of

_SOURCE = re.compile(r"(?:organizations|folders|projects|billingAccounts)/[^/\s]+", re.IGNORECASE)
_SAMPLED = {*TEXTS, Kind.INT32, Kind.INT64}


def make_condition(call: Call) -> tree.Node:
    """A call on its own. Raises Problem."""
    name = call.name.lower()
    if name in {"cast", "regexp_extract"}:
        make_operand(call)
        hint = f"want an operator and a value after it, {call.name}(...) = ..."
        raise Problem(f"{call.name} is no condition", hint, position_of(call))
    if name not in _CONDITIONS:
        unknown(call)
    return _CONDITIONS[name](call)


def _log_id(call: Call) -> tree.LogId:
    (log_id,) = arguments_of(call, 1)
    return tree.LogId(text_argument(call, log_id))


def _source(call: Call) -> tree.Source:
    (resource,) = arguments_of(call, 1)
    text = text_argument(call, resource)
    if not _SOURCE.fullmatch(text):
        hint = "want projects/ID, folders/ID, organizations/ID or billingAccounts/ID"
        raise Problem(f"{shown(text)} is no resource", hint, position_of(resource))
    return tree.Source(text)


def _search(call: Call) -> tree.TextSearch:
    *fields, query = arguments_of(call, 1, 2)
    if isinstance(query, Call) or not is_quoted(query):
        raise Problem("unexpected words", "SEARCH wants them in double quotes", position_of(query))
    text = text_of(query)
    try:
        read_query(text)
    except SearchError as error:
        raise Problem(f"{shown(text)} cannot be searched", str(error), position_of(query)) from None
    if not fields:
        return tree.TextSearch(None, text)
    return tree.TextSearch(field_argument(call, fields[0], {*TEXTS, *CONTAINERS}), text)


def _sample(call: Call) -> tree.Sample:
    field, fraction = arguments_of(call, 2)
    number = None if isinstance(fraction, Call) else to_double(text_of(fraction))
    if number is None or not 0 < number <= 1:
        hint = "want a number above 0, 1 at most"
        raise Problem("unexpected fraction", hint, position_of(fraction))
    return tree.Sample(field_argument(call, field, _SAMPLED), number)


def _ip_in_net(call: Call) -> tree.InNet:
    field, subnet = arguments_of(call, 2)
    text = text_argument(call, subnet)
    try:
        ip_network(text, strict=False)
    except ValueError:
        hint = "want an address or a range, 10.1.2.0/24 or 1:2::/48"
        raise Problem(f"{shown(text)} is no network", hint, position_of(subnet)) from None
    return tree.InNet(field_argument(call, field, TEXTS), text)


_CONDITIONS: Mapping[str, Callable[[Call], tree.Node]] = {
    "log_id": _log_id,
    "source": _source,
    "search": _search,
    "sample": _sample,
    "ip_in_net": _ip_in_net,
}
