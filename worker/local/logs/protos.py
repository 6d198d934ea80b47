"""Cloud Logging's own protobuf messages, without the wrappers of its client library.

The comments in google/logging/v2/*.proto are the contract of each field and call.
"""

from typing import Any

from google.cloud.logging_v2 import types
from google.protobuf import empty_pb2

CreateSinkRequest: Any = types.CreateSinkRequest.pb()
DeleteLogRequest: Any = types.DeleteLogRequest.pb()
DeleteSinkRequest: Any = types.DeleteSinkRequest.pb()
GetSinkRequest: Any = types.GetSinkRequest.pb()
ListLogEntriesRequest: Any = types.ListLogEntriesRequest.pb()
ListLogEntriesResponse: Any = types.ListLogEntriesResponse.pb()
ListLogsRequest: Any = types.ListLogsRequest.pb()
ListLogsResponse: Any = types.ListLogsResponse.pb()
ListMonitoredResourceDescriptorsRequest: Any = types.ListMonitoredResourceDescriptorsRequest.pb()
ListMonitoredResourceDescriptorsResponse: Any = types.ListMonitoredResourceDescriptorsResponse.pb()
ListSinksRequest: Any = types.ListSinksRequest.pb()
ListSinksResponse: Any = types.ListSinksResponse.pb()
LogEntry: Any = types.LogEntry.pb()
LogSink: Any = types.LogSink.pb()
TailLogEntriesRequest: Any = types.TailLogEntriesRequest.pb()
TailLogEntriesResponse: Any = types.TailLogEntriesResponse.pb()
UpdateSinkRequest: Any = types.UpdateSinkRequest.pb()
WriteLogEntriesRequest: Any = types.WriteLogEntriesRequest.pb()
WriteLogEntriesResponse: Any = types.WriteLogEntriesResponse.pb()
Empty: Any = empty_pb2.Empty
