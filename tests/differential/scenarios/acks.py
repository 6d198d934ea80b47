"""What the status of an answer means for the message."""

from collections.abc import Sequence
from queue import Queue

from tests.differential.endpoint import Answer, Push
from tests.differential.scenario import scenario
from tests.differential.stage import Stage, in_short
from tests.support.server import WAIT_SECONDS

ACKS = (
    "102, 200, 201, 202 and 204 ack, any other status nacks "
    "([push](https://cloud.google.com/pubsub/docs/push#receive_push))"
)
REDIRECTS = (300, 301, 302, 303, 307)
NACKS = (
    205, 206, 226, 304, 308, 400, 401, 403, 404, 409, 410, 413, 422, 429, 500, 502, 503, 504,
)  # fmt: skip


def fates(stage: Stage, statuses: Sequence[int]) -> str:
    """What becomes of messages whose first push is answered with a status each."""

    def answer(push: Push) -> Answer:
        status = push.path.removeprefix("/")
        if push.times > 1 or not status.isdecimal():
            return Answer(200)
        return Answer(int(status), {"Location": f"{endpoint.url}/elsewhere/{status}"})

    endpoint = stage.endpoint(answer)
    for status in statuses:
        topic = stage.api.topic(f"answers-{status}")
        stage.api.push(topic, f"{endpoint.url}/{status}", f"answered-{status}")
        stage.api.publish(topic, status)
    paths = {f"/{status}" for status in statuses}
    endpoint.wait(lambda pushes: paths <= {push.path for push in pushes}, "a push each")
    stage.settle()
    seen = [push.path for push in endpoint.pushes]
    return in_short({status: _fate(status, seen) for status in statuses})


def _fate(status: int, seen: list[str]) -> str:
    if f"/elsewhere/{status}" in seen:
        return "the redirect is followed, and its target's 200 acks"
    return {1: "acked", 2: "pushed again"}[seen.count(f"/{status}")]


@scenario("answer 102, 200, 201 or 204", ours="acked")
def acks(stage: Stage) -> str:
    return fates(stage, (102, 200, 201, 204))


@scenario("answer 202", ours="acked", emulator="pushed again", documented=ACKS)
def accepted(stage: Stage) -> str:
    return fates(stage, (202,))


@scenario("answer 203", ours="pushed again", emulator="acked", documented=ACKS)
def non_authoritative(stage: Stage) -> str:
    return fates(stage, (203,))


@scenario("answer 4xx, 5xx, or another of 2xx and 3xx", ours="pushed again")
def nacks(stage: Stage) -> str:
    return fates(stage, NACKS)


@scenario(
    "answer 300, 301, 302, 303 or 307",
    ours="pushed again",
    emulator="the redirect is followed, and its target's 200 acks",
    documented=ACKS,
)
def redirects(stage: Stage) -> str:
    return fates(stage, REDIRECTS)


@scenario("a nacked message is pushed again", ours="with the same id, data and attributes")
def redelivery(stage: Stage) -> str:
    endpoint = stage.endpoint(lambda push: Answer(503 if push.times == 1 else 200))
    topic = stage.api.topic()
    stage.api.push(topic, endpoint.url)
    published = stage.api.publish(topic, b"\xff\x00 binary", {"colour": "blue", "name": "Zoë"})
    first, second = endpoint.wait_for(2)
    assert first.message["messageId"] == published
    same = all(
        first.message.get(name) == second.message.get(name)
        for name in ("messageId", "data", "attributes", "publishTime")
    )
    return "with the same id, data and attributes" if same else "changed"


@scenario(
    "no answer before the ack deadline",
    ours="the request is cut, then the message is pushed again",
    emulator="the message is pushed again beside the first request, which goes on",
    documented="the ack deadline is the timeout of the push request "
    "([PushConfig](https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.subscriptions))",
)
def missed_deadline(stage: Stage) -> str:
    cut: Queue[bool] = Queue()

    def answer(push: Push) -> Answer:
        if push.times == 1:
            endpoint.soon(lambda pushes: len(pushes) > 1, WAIT_SECONDS)
            cut.put(push.is_cut())
        return Answer()

    endpoint = stage.endpoint(answer)
    topic = stage.api.topic()
    stage.api.push(topic, endpoint.url, ackDeadlineSeconds=10)
    stage.api.publish(topic, "slow")
    first, second = endpoint.wait_for(2)
    assert second.at - first.at > 5  # seconds: not at once, and the first may have come late
    if cut.get(timeout=WAIT_SECONDS):
        return "the request is cut, then the message is pushed again"
    return "the message is pushed again beside the first request, which goes on"


@scenario("an endpoint that was down for a while", ours="gets every message once it is up")
def outage(stage: Stage) -> str:
    endpoint = stage.endpoint(listens=False)
    topic = stage.api.topic()
    stage.api.push(topic, endpoint.url)
    published = {stage.api.publish(topic, number) for number in range(20)}
    stage.settle()
    endpoint.listen()
    endpoint.wait(lambda pushes: len(pushes) >= len(published), "every message")
    arrived = {push.message["messageId"] for push in endpoint.pushes}
    return "gets every message once it is up" if arrived == published else "misses some"


@scenario("two subscriptions of a topic", ours="each gets the message, under the same id")
def fan_out(stage: Stage) -> str:
    endpoint = stage.endpoint()
    topic = stage.api.topic()
    names = {stage.api.push(topic, endpoint.url, name) for name in ("one", "other")}
    published = stage.api.publish(topic, "both")
    pushes = endpoint.wait_for(2)
    same = {push.message["messageId"] for push in pushes} == {published}
    each = {push.wrapped["subscription"] for push in pushes} == names
    return "each gets the message, under the same id" if same and each else "not so"


@scenario(
    "twenty messages for an endpoint that is slow, after it was quick",
    ours="more than two pushes at a time",
    emulator="two pushes at a time",
    documented="a window that grows with acks, up to 3,000 outstanding messages "
    "([push](https://cloud.google.com/pubsub/docs/push#flow_control))",
)
def concurrency(stage: Stage) -> str:
    slow = stage.endpoint(lambda _: _when_three_are_there())
    quick = stage.endpoint()

    def _when_three_are_there() -> Answer:
        slow.soon(lambda pushes: len(pushes) > 2, 4.0)  # the emulator's constant
        return Answer()

    topic = stage.api.topic()
    subscription = stage.api.push(topic, quick.url)
    for number in range(40):
        stage.api.publish(topic, number)
    quick.wait_for(40)
    config = {"pushConfig": {"pushEndpoint": slow.url}}
    stage.api.call("POST", f"{subscription}:modifyPushConfig", config)
    for number in range(20):
        stage.api.publish(topic, number)
    first = slow.wait_for(3)
    # The third came while the others waited for it, or when they had waited in vain.
    together = first[2].at - first[0].at < 3.5  # seconds, less than they wait
    return "more than two pushes at a time" if together else "two pushes at a time"
