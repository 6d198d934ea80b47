"""Cloud Logging's own protobuf messages, without the wrappers of its client library.

The comments in google/logging/v2/*.proto are the contract of each field and call.
"""

from typing import Any

from google.cloud.logging_v2 import types
from google.protobuf import empty_pb2

DeleteLogRequest: Any = types.DeleteLogRequest.pb()
ListLogEntriesRequest: Any = types.ListLogEntriesRequest.pb()
ListLogEntriesResponse: Any = types.ListLogEntriesResponse.pb()
ListLogsRequest: Any = types.ListLogsRequest.pb()
ListLogsResponse: Any = types.ListLogsResponse.pb()
ListMonitoredResourceDescriptorsRequest: Any = types.ListMonitoredResourceDescriptorsRequest.pb()
ListMonitoredResourceDescriptorsResponse: Any = types.ListMonitoredResourceDescriptorsResponse.pb()
LogEntry: Any = types.LogEntry.pb()
TailLogEntriesRequest: Any = types.TailLogEntriesRequest.pb()
TailLogEntriesResponse: Any = types.TailLogEntriesResponse.pb()
WriteLogEntriesRequest: Any = types.WriteLogEntriesRequest.pb()
WriteLogEntriesResponse: Any = types.WriteLogEntriesResponse.pb()
Empty: Any = empty_pb2.Empty
