"""Pub/Sub's gRPC services: Publisher, Subscriber and IAMPolicy."""

from functools import partial
from typing import Any

import grpc
from google.iam.v1 import iam_policy_pb2  # type: ignore[import-untyped]  # ships no types

from worker.local.pubsub import protos
from worker.local.pubsub.service import PubSub
from worker.local.pubsub.stream import streaming_pull
from worker.local.rpc import streaming, unary

_PUBLISHER = {
    "CreateTopic": protos.Topic,
    "UpdateTopic": protos.UpdateTopicRequest,
    "Publish": protos.PublishRequest,
    "GetTopic": protos.GetTopicRequest,
    "ListTopics": protos.ListTopicsRequest,
    "ListTopicSubscriptions": protos.ListTopicSubscriptionsRequest,
    "ListTopicSnapshots": protos.ListTopicSnapshotsRequest,
    "DeleteTopic": protos.DeleteTopicRequest,
    "DetachSubscription": protos.DetachSubscriptionRequest,
}
_SUBSCRIBER = {
    "CreateSubscription": protos.Subscription,
    "GetSubscription": protos.GetSubscriptionRequest,
    "UpdateSubscription": protos.UpdateSubscriptionRequest,
    "ListSubscriptions": protos.ListSubscriptionsRequest,
    "DeleteSubscription": protos.DeleteSubscriptionRequest,
    "ModifyAckDeadline": protos.ModifyAckDeadlineRequest,
    "Acknowledge": protos.AcknowledgeRequest,
    "Pull": protos.PullRequest,
    "ModifyPushConfig": protos.ModifyPushConfigRequest,
    "GetSnapshot": protos.GetSnapshotRequest,
    "ListSnapshots": protos.ListSnapshotsRequest,
    "CreateSnapshot": protos.CreateSnapshotRequest,
    "UpdateSnapshot": protos.UpdateSnapshotRequest,
    "DeleteSnapshot": protos.DeleteSnapshotRequest,
    "Seek": protos.SeekRequest,
}
_IAM_POLICY = {
    "GetIamPolicy": iam_policy_pb2.GetIamPolicyRequest,
    "SetIamPolicy": iam_policy_pb2.SetIamPolicyRequest,
    "TestIamPermissions": iam_policy_pb2.TestIamPermissionsRequest,
}


def rpc_handlers(pubsub: PubSub) -> list[grpc.GenericRpcHandler]:
    """The services, for a server that answers ApiError with its code."""
    subscriber = _methods(pubsub, _SUBSCRIBER)
    subscriber["StreamingPull"] = streaming(
        protos.StreamingPullRequest, partial(streaming_pull, pubsub)
    )
    return [
        grpc.method_handlers_generic_handler(service, methods)
        for service, methods in (
            ("google.pubsub.v1.Publisher", _methods(pubsub, _PUBLISHER)),
            ("google.pubsub.v1.Subscriber", subscriber),
            ("google.iam.v1.IAMPolicy", _methods(pubsub, _IAM_POLICY)),
        )
    ]


def _methods(pubsub: PubSub, requests: dict[str, Any]) -> dict[str, grpc.RpcMethodHandler]:
    return {
        method: unary(request, getattr(pubsub, _snake_case(method)))
        for method, request in requests.items()
    }


def _snake_case(name: str) -> str:
    """CreateTopic: create_topic."""
    return "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")
