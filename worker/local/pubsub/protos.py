"""Pub/Sub's own protobuf messages, without the wrappers of its client library.

The comments in google/pubsub/v1/pubsub.proto are the contract of each field and call.
"""

from typing import Any

from google.protobuf import duration_pb2, empty_pb2, timestamp_pb2
from google.pubsub_v1 import types

AcknowledgeRequest: Any = types.AcknowledgeRequest.pb()
CreateSnapshotRequest: Any = types.CreateSnapshotRequest.pb()
DeleteSnapshotRequest: Any = types.DeleteSnapshotRequest.pb()
DeleteSubscriptionRequest: Any = types.DeleteSubscriptionRequest.pb()
DeleteTopicRequest: Any = types.DeleteTopicRequest.pb()
DetachSubscriptionRequest: Any = types.DetachSubscriptionRequest.pb()
DetachSubscriptionResponse: Any = types.DetachSubscriptionResponse.pb()
GetSnapshotRequest: Any = types.GetSnapshotRequest.pb()
GetSubscriptionRequest: Any = types.GetSubscriptionRequest.pb()
GetTopicRequest: Any = types.GetTopicRequest.pb()
ListSnapshotsRequest: Any = types.ListSnapshotsRequest.pb()
ListSnapshotsResponse: Any = types.ListSnapshotsResponse.pb()
ListSubscriptionsRequest: Any = types.ListSubscriptionsRequest.pb()
ListSubscriptionsResponse: Any = types.ListSubscriptionsResponse.pb()
ListTopicSnapshotsRequest: Any = types.ListTopicSnapshotsRequest.pb()
ListTopicSnapshotsResponse: Any = types.ListTopicSnapshotsResponse.pb()
ListTopicsRequest: Any = types.ListTopicsRequest.pb()
ListTopicsResponse: Any = types.ListTopicsResponse.pb()
ListTopicSubscriptionsRequest: Any = types.ListTopicSubscriptionsRequest.pb()
ListTopicSubscriptionsResponse: Any = types.ListTopicSubscriptionsResponse.pb()
ModifyAckDeadlineRequest: Any = types.ModifyAckDeadlineRequest.pb()
ModifyPushConfigRequest: Any = types.ModifyPushConfigRequest.pb()
PublishRequest: Any = types.PublishRequest.pb()
PublishResponse: Any = types.PublishResponse.pb()
PubsubMessage: Any = types.PubsubMessage.pb()
PullRequest: Any = types.PullRequest.pb()
PullResponse: Any = types.PullResponse.pb()
ReceivedMessage: Any = types.ReceivedMessage.pb()
SeekRequest: Any = types.SeekRequest.pb()
SeekResponse: Any = types.SeekResponse.pb()
Snapshot: Any = types.Snapshot.pb()
StreamingPullRequest: Any = types.StreamingPullRequest.pb()
StreamingPullResponse: Any = types.StreamingPullResponse.pb()
Subscription: Any = types.Subscription.pb()
Topic: Any = types.Topic.pb()
UpdateSnapshotRequest: Any = types.UpdateSnapshotRequest.pb()
UpdateSubscriptionRequest: Any = types.UpdateSubscriptionRequest.pb()
UpdateTopicRequest: Any = types.UpdateTopicRequest.pb()
Empty: Any = empty_pb2.Empty

_NANOSECONDS = 1_000_000_000
_MICROSECONDS = 1_000_000


def seconds_of(duration: Any) -> float:
    """A Duration or a Timestamp in seconds."""
    return float(duration.seconds) + float(duration.nanos) / _NANOSECONDS


def duration(seconds: float) -> Any:
    """The Duration of so many seconds."""
    made = duration_pb2.Duration()
    made.FromMicroseconds(round(seconds * _MICROSECONDS))
    return made


def timestamp(seconds: float) -> Any:
    """The Timestamp of so many seconds since the epoch."""
    made = timestamp_pb2.Timestamp()
    made.FromMicroseconds(round(seconds * _MICROSECONDS))
    return made
