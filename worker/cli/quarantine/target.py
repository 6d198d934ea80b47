"""Where `--to` leads: a topic, or straight to a worker."""

import re
from datetime import UTC, datetime

from worker.cli import fail
from worker.cli.quarantine.desk import NAME, PROJECT
from worker.client.deliver import Unreachable, check_url, deliver
from worker.client.forms import CannotSend, Delivery, checked_token, request_of
from worker.client.text import printable
from worker.desk import DeskFailed
from worker.desk.held import Held
from worker.desk.target import Sent, Target, attributes_again
from worker.message import Form, Message
from worker.outcome import DONE, DUPLICATE, REJECTED

_TOPIC = re.compile(rf"projects/{PROJECT}/topics/{NAME}")
_HANDLED = (DONE.name, DUPLICATE.name)


def target_of(to: str, token: str | None) -> Target:
    """The target that --to names, or the end of the command."""
    if to.startswith(("http://", "https://")):
        try:
            return WorkerTarget(check_url(to, "--to"), checked_token(token))
        except (Unreachable, CannotSend) as error:
            fail(printable(str(error)))
    if not _TOPIC.fullmatch(to):
        fail("--to wants projects/P/topics/T, or a worker's address such as http://127.0.0.1:8080")
    if token is not None:
        fail("--token is for a worker: leave it out with a topic")
    from worker.desk.topic import TopicTarget
    from worker.pubsub import Publisher

    return TopicTarget(to, Publisher().publish)


class WorkerTarget:
    """Pushes to the worker at `name` as Pub/Sub did: the same id, so its claim meets the others."""

    def __init__(self, name: str, token: str = "") -> None:
        self.name = name
        self._token = token

    def send(self, held: Held, message: Message, replays: int) -> Sent:  # noqa: ARG002 - as a Target
        """Deliver it, and say what the worker's answer means."""
        delivery = Delivery(
            message.data,
            attributes_again(message, replays),
            message.id,
            message.ordering_key,
            subscription=message.subscription,
            publish_time=message.publish_time or datetime.now(UTC),
        )
        try:
            answer = deliver(self.name, request_of(Form.WRAPPED, delivery), self._token)
        except Unreachable as error:
            raise DeskFailed(str(error).replace("--url", "--to")) from None
        if answer.advice:
            advice = answer.advice.replace("--url", "--to")
            raise DeskFailed(f"{self.name} answered {answer.status}: {advice}")
        outcome = answer.outcome or "not the answer of a worker"
        return Sent(
            f"{outcome} ({answer.status})" + (f": {answer.reason}" if answer.reason else ""),
            settled=answer.acked and answer.outcome in _HANDLED,
            rejected=answer.outcome == REJECTED.name,
        )
