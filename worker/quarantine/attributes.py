"""The attributes that a dead letter has beside those that its publisher gave it."""

SOURCE = "CloudPubSubDeadLetterSource"  # how the names begin that Pub/Sub's own have, and ours
_SOURCES = ("DeliveryCount", "Subscription", "SubscriptionProject", "TopicPublishTime")
_OURS = ("Encoding", "Headers", "Id", "Kind", "MessageId", "Reason", "Time")

ADDED = frozenset(
    [f"{SOURCE}{name}" for name in _SOURCES] + [f"Quarantine{name}" for name in _OURS]
)
