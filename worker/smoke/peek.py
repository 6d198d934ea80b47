"""Looks for our message among the dead letters, and leaves them all where they are."""

from worker.desk import DeskFailed
from worker.desk.held import Held
from worker.desk.subscription import SubscriptionPlace
from worker.project.credentials import find_credentials
from worker.pubsub import Subscriber
from worker.rest import CallFailed
from worker.smoke.question import Question

_MOST = 200  # dead letters that are looked through


def dead_letter(question: Question, nonce: str) -> Held | None:
    """The message with the nonce; None if it is not among the first 200. Raises CallFailed."""
    its = question.deployment
    name = its.subscription_name(its.dead_letter_topic)
    try:
        with SubscriptionPlace(name, Subscriber(name, find_credentials), _MOST) as place:
            found = [one for one in place.messages() if nonce.encode() in one.data]
    except DeskFailed as failed:
        raise CallFailed(str(failed)) from None
    return found[0] if found else None
