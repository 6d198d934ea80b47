"""Pub/Sub in one process: every call of its API, and the seam that push delivery works with."""

from worker.local.pubsub.measuring import Measures
from worker.local.pubsub.policies import PolicyCalls
from worker.local.pubsub.pulling import PullCalls
from worker.local.pubsub.snapshots import SnapshotCalls
from worker.local.pubsub.subscriptions import SubscriptionCalls
from worker.local.pubsub.topics import TopicCalls


class PubSub(TopicCalls, SubscriptionCalls, SnapshotCalls, PullCalls, PolicyCalls, Measures):
    """`PubSub(folder, clock)`: the calls of Publisher, Subscriber and IAMPolicy by name.

    They take and return protobuf messages and raise ApiError. Delivery leases what may be
    delivered, and acknowledges it or not: see Delivery.
    """
