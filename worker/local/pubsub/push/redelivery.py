"""A delivery of the past -> the push that repeats it."""

from collections.abc import Iterable

from worker.local.errors import ApiError, Code
from worker.local.pubsub.leases import Leased, PushTarget
from worker.local.pubsub.push.courier import Job
from worker.local.pubsub.push.deliveries import Deliveries


def redelivery(deliveries: Deliveries, targets: Iterable[PushTarget], delivery_id: int) -> Job:
    """The same message, with the same id, to where its subscription pushes now.

    Raises ApiError: there is no such delivery, or nothing to push it to any more.
    """
    delivery = deliveries.get(delivery_id)
    if delivery is None:
        raise ApiError(Code.NOT_FOUND, f"there is no delivery {delivery_id}: it may be too old")
    data = deliveries.data(delivery)
    if data is None:
        raise ApiError(Code.FAILED_PRECONDITION, "its data is not kept any more: publish it again")
    target = next((one for one in targets if one.subscription == delivery.subscription), None)
    if target is None:
        text = f"{delivery.subscription} has no push endpoint: give it one, or publish again"
        raise ApiError(Code.FAILED_PRECONDITION, text)
    message = Leased(
        ack_id="",
        message_id=delivery.message_id,
        data=data,
        attributes=delivery.attributes,
        ordering_key=delivery.ordering_key,
        publish_time=delivery.publish_time,
        attempt=delivery.attempts + 1,
        topic=delivery.topic,
    )
    return Job(message, target, ("redeliver",), drops=False)
