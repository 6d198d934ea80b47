"""Which HTTP request is which call. Source: the google.api.http options of pubsub.proto."""

import re
from functools import cache
from typing import Any, NamedTuple

from google.iam.v1 import iam_policy_pb2  # type: ignore[import-untyped]  # ships no types

from worker.local.pubsub import protos

_TOPIC = "projects/*/topics/*"
_SUBSCRIPTION = "projects/*/subscriptions/*"
_SNAPSHOT = "projects/*/snapshots/*"


class Route(NamedTuple):
    """A request of `method` for /v1/`pattern``suffix`: the path's resource goes into `field`."""

    method: str
    pattern: str  # a * stands for one segment
    suffix: str
    field: str  # of the request; a.b is the field b of the field a
    call: str  # the name of PubSub's method
    request: Any  # the class of the protobuf message that it takes


ROUTES = (
    Route("PUT", _TOPIC, "", "name", "create_topic", protos.Topic),
    Route("PATCH", _TOPIC, "", "topic.name", "update_topic", protos.UpdateTopicRequest),
    Route("POST", _TOPIC, ":publish", "topic", "publish", protos.PublishRequest),
    Route("GET", _TOPIC, "", "topic", "get_topic", protos.GetTopicRequest),
    Route("DELETE", _TOPIC, "", "topic", "delete_topic", protos.DeleteTopicRequest),
    Route("GET", "projects/*", "/topics", "project", "list_topics", protos.ListTopicsRequest),
    Route(
        "GET",
        _TOPIC,
        "/subscriptions",
        "topic",
        "list_topic_subscriptions",
        protos.ListTopicSubscriptionsRequest,
    ),
    Route(
        "GET",
        _TOPIC,
        "/snapshots",
        "topic",
        "list_topic_snapshots",
        protos.ListTopicSnapshotsRequest,
    ),
    Route("PUT", _SUBSCRIPTION, "", "name", "create_subscription", protos.Subscription),
    Route(
        "PATCH",
        _SUBSCRIPTION,
        "",
        "subscription.name",
        "update_subscription",
        protos.UpdateSubscriptionRequest,
    ),
    Route(
        "GET",
        _SUBSCRIPTION,
        "",
        "subscription",
        "get_subscription",
        protos.GetSubscriptionRequest,
    ),
    Route(
        "DELETE",
        _SUBSCRIPTION,
        "",
        "subscription",
        "delete_subscription",
        protos.DeleteSubscriptionRequest,
    ),
    Route(
        "GET",
        "projects/*",
        "/subscriptions",
        "project",
        "list_subscriptions",
        protos.ListSubscriptionsRequest,
    ),
    *(
        Route("POST", _SUBSCRIPTION, suffix, "subscription", call, request)
        for suffix, call, request in (
            (":detach", "detach_subscription", protos.DetachSubscriptionRequest),
            (":modifyAckDeadline", "modify_ack_deadline", protos.ModifyAckDeadlineRequest),
            (":acknowledge", "acknowledge", protos.AcknowledgeRequest),
            (":pull", "pull", protos.PullRequest),
            (":modifyPushConfig", "modify_push_config", protos.ModifyPushConfigRequest),
            (":seek", "seek", protos.SeekRequest),
        )
    ),
    Route("PUT", _SNAPSHOT, "", "name", "create_snapshot", protos.CreateSnapshotRequest),
    Route("PATCH", _SNAPSHOT, "", "snapshot.name", "update_snapshot", protos.UpdateSnapshotRequest),
    Route("GET", _SNAPSHOT, "", "snapshot", "get_snapshot", protos.GetSnapshotRequest),
    Route("DELETE", _SNAPSHOT, "", "snapshot", "delete_snapshot", protos.DeleteSnapshotRequest),
    Route(
        "GET", "projects/*", "/snapshots", "project", "list_snapshots", protos.ListSnapshotsRequest
    ),
    *(
        Route(method, pattern, suffix, "resource", call, request)
        for pattern in (_TOPIC, _SUBSCRIPTION, _SNAPSHOT)
        for method, suffix, call, request in (
            ("GET", ":getIamPolicy", "get_iam_policy", iam_policy_pb2.GetIamPolicyRequest),
            ("POST", ":setIamPolicy", "set_iam_policy", iam_policy_pb2.SetIamPolicyRequest),
            (
                "POST",
                ":testIamPermissions",
                "test_iam_permissions",
                iam_policy_pb2.TestIamPermissionsRequest,
            ),
        )
    ),
)


def find(method: str, path: str) -> tuple[Route, str] | None:
    """The route of a request and the resource that its path names: `path` comes after /v1/."""
    for route in ROUTES:
        if route.method == method and (found := _compiled(route).fullmatch(path)):
            return route, found[1]
    return None


@cache
def _compiled(route: Route) -> re.Pattern[str]:
    segments = [r"[^/]+" if part == "*" else part for part in route.pattern.split("/")]
    if segments[-1] == r"[^/]+" and route.pattern != "projects/*":
        segments[-1] = r"[^/:]+"  # what follows a colon is the verb
    return re.compile(f"({'/'.join(segments)}){re.escape(route.suffix)}")
