"""Cloud Logging over gRPC: google.logging.v2, LoggingServiceV2 and ConfigServiceV2."""

import time
from collections.abc import Callable, Iterator
from queue import Empty, Queue
from typing import Any

import grpc
from google.protobuf import json_format

from worker.local.errors import ApiError, Code
from worker.local.logs import protos
from worker.local.logs.config import ConfigService
from worker.local.logs.convert import to_entry
from worker.local.logs.scope import parents
from worker.local.logs.service import LoggingService, parse_filter
from worker.local.logs.store import Logs
from worker.local.logs.tails import Tail
from worker.local.logs.times import nanoseconds
from worker.local.lql import Query
from worker.local.rpc import streaming, unary

_SERVICE = "google.logging.v2.LoggingServiceV2"
_CONFIG = "google.logging.v2.ConfigServiceV2"
_LONGEST_WINDOW = 60.0  # seconds
_BATCH = 500  # entries of one answer
_END: dict[str, Any] = {}  # put into a queue: the call is over


def config_handler(logs: Logs) -> grpc.GenericRpcHandler:
    """The service of the sinks, for a server."""
    service = ConfigService(logs.sinks, logs.project)
    methods = {
        "ListSinks": _call(protos.ListSinksRequest, service.list_sinks, protos.ListSinksResponse),
        "GetSink": _call(protos.GetSinkRequest, service.get_sink, protos.LogSink),
        "CreateSink": _call(protos.CreateSinkRequest, service.create_sink, protos.LogSink),
        "UpdateSink": _call(protos.UpdateSinkRequest, service.update_sink, protos.LogSink),
        "DeleteSink": _call(protos.DeleteSinkRequest, service.delete_sink, protos.Empty),
    }
    return grpc.method_handlers_generic_handler(_CONFIG, methods)


def rpc_handler(logs: Logs) -> grpc.GenericRpcHandler:
    """The service of the entries, for a server."""
    service = LoggingService(logs)
    methods = {
        "WriteLogEntries": _call(
            protos.WriteLogEntriesRequest, service.write_log_entries, protos.WriteLogEntriesResponse
        ),
        "ListLogEntries": unary(
            protos.ListLogEntriesRequest,
            lambda request: _entries_answer(service.list_log_entries(request)),
        ),
        "ListLogs": _call(protos.ListLogsRequest, service.list_logs, protos.ListLogsResponse),
        "DeleteLog": _call(protos.DeleteLogRequest, service.delete_log, protos.Empty),
        "ListMonitoredResourceDescriptors": _call(
            protos.ListMonitoredResourceDescriptorsRequest,
            service.list_monitored_resource_descriptors,
            protos.ListMonitoredResourceDescriptorsResponse,
        ),
        "TailLogEntries": streaming(
            protos.TailLogEntriesRequest, lambda requests, context: tail(logs, requests, context)
        ),
    }
    return grpc.method_handlers_generic_handler(_SERVICE, methods)


def _call(
    request: type[Any], method: Callable[[Any], dict[str, Any]], answer: type[Any]
) -> grpc.RpcMethodHandler:
    return unary(request, lambda message: json_format.ParseDict(method(message), answer()))


def _entries_answer(found: dict[str, Any]) -> Any:
    answer = protos.ListLogEntriesResponse(next_page_token=found.get("nextPageToken", ""))
    answer.entries.extend(map(to_entry, found["entries"]))
    return answer


def tail(logs: Logs, requests: Iterator[Any], context: grpc.ServicerContext) -> Iterator[Any]:
    """What is written from now on and matches, until the client or the server ends the call.

    The first request counts, as clients send no others. The first answer is empty: it says that
    entries written from now on will come. Without a bufferWindow they come at once; with one they
    are collected for so long and then sorted by time.
    """
    first = next(requests, None)
    if first is None:
        return
    query, whose, window = parse_filter(first.filter), parents(first.resource_names), _window(first)
    with logs.listen() as queue:
        if not context.add_callback(lambda: _end(queue)):
            return
        yield protos.TailLogEntriesResponse()
        while (batch := _batch(queue, window)) is not None:
            answer = _tail_answer([one for one in batch if _is_wanted(one, query, whose)])
            if dropped := queue.take_dropped():
                not_consumed = protos.TailLogEntriesResponse.SuppressionInfo.NOT_CONSUMED
                answer.suppression_info.add(reason=not_consumed, suppressed_count=dropped)
            if answer.entries or dropped:
                yield answer


def _window(request: Any) -> float:
    """Seconds that entries are collected."""
    seconds = float(request.buffer_window.seconds + request.buffer_window.nanos / 1e9)
    if not 0 <= seconds <= _LONGEST_WINDOW:
        raise ApiError(Code.INVALID_ARGUMENT, "bufferWindow: want 0 to 60 seconds")
    return seconds


def _end(queue: Tail) -> None:
    """Wake the call up, even if its queue is full."""
    with queue.mutex:
        queue.queue.append(_END)
        queue.not_empty.notify()


def _batch(queue: Queue[dict[str, Any]], window: float) -> list[dict[str, Any]] | None:
    """Entries that came within the window after the first of them; None at the end."""
    batch = [queue.get()]
    until = time.monotonic() + window
    while batch[-1] is not _END and len(batch) < _BATCH:
        try:
            batch.append(queue.get(timeout=max(until - time.monotonic(), 0)))
        except Empty:
            break
    return None if batch[-1] is _END else sorted(batch, key=_time)


def _time(entry: dict[str, Any]) -> int:
    return nanoseconds(entry["timestamp"])


def _is_wanted(entry: dict[str, Any], query: Query, whose: list[str]) -> bool:
    return entry["logName"].partition("/logs/")[0] in whose and query.matches(entry)


def _tail_answer(entries: list[dict[str, Any]]) -> Any:
    answer = protos.TailLogEntriesResponse()
    answer.entries.extend(map(to_entry, entries))
    return answer
