"""Ordering keys, dead-lettering, and the two together; retries and their backoff."""

from typing import Any

from tests.differential.endpoint import Answer, Endpoint, Push, nacks
from tests.differential.scenario import scenario
from tests.differential.stage import Stage

DEAD_LETTER = "CloudPubSubDeadLetterSource"
FAILURES = "[dead-letter topics](https://cloud.google.com/pubsub/docs/handling-failures)"
RETRIES = (
    "[retry policy](https://cloud.google.com/pubsub/docs/handling-failures#exponential_backoff)"
)
BACKOFF_SECONDS = 4


def texts(endpoint: Endpoint) -> list[str]:
    return [push.text for push in endpoint.pushes]


@scenario("messages with an ordering key", ours="one at a time, in order")
def in_order(stage: Stage) -> str:
    under_way: list[str] = []
    overlaps: list[str] = []

    def answer(push: Push) -> Answer:
        overlaps.extend(under_way)
        under_way.append(push.text)
        endpoint.soon(lambda _: False, 0.05)  # long enough for the next one, were it let out
        under_way.remove(push.text)
        return Answer()

    endpoint = stage.endpoint(answer)
    topic = stage.api.topic()
    stage.api.push(topic, endpoint.url, enableMessageOrdering=True)
    for number in range(8):
        stage.api.publish(topic, number, key="one")
    endpoint.wait_for(8)
    in_order = texts(endpoint) == [str(number) for number in range(8)]
    return "one at a time, in order" if in_order and not overlaps else f"{texts(endpoint)}"


@scenario("a nacked message with an ordering key", ours="its key waits, other keys go on")
def held_key(stage: Stage) -> str:
    def answer(push: Push) -> Answer:
        return Answer(503 if push.text == '"a1"' and '"b2"' not in texts(endpoint) else 200)

    endpoint = stage.endpoint(answer)
    topic = stage.api.topic()
    stage.api.push(topic, endpoint.url, enableMessageOrdering=True)
    for text in ("a1", "a2", "b1", "b2", "a3"):
        stage.api.publish(topic, text, key=text[0])
    endpoint.wait(lambda pushes: any(push.text == '"a3"' for push in pushes), "the last of its key")
    seen = [text.strip('"') for text in texts(endpoint)]
    first, *rest = [text for text in seen if text[0] == "a" and text != "a1"], seen
    assert seen.count("a1") > 1
    after = seen[len(seen) - seen[::-1].index("a1") :]  # behind the last a1
    in_order = first == ["a2", "a3"] and [t for t in after if t[0] == "a"] == ["a2", "a3"]
    others = [text for text in rest[0] if text[0] == "b"] == ["b1", "b2"]
    return "its key waits, other keys go on" if in_order and others else f"{seen}"


def dead_lettered(stage: Stage, url: str, **settings: Any) -> tuple[str, str, str]:
    """A topic whose messages go to `url` or are dead-lettered; the subscriptions to both."""
    topic, dead = stage.api.topic(), stage.api.topic("dead")
    policy = {"deadLetterTopic": dead, "maxDeliveryAttempts": 5}
    gone = stage.api.subscription(dead, "dead")
    source = stage.api.push(topic, url, deadLetterPolicy=policy, **settings)
    return topic, source, gone


@scenario(
    "a message that is nacked five times, with maxDeliveryAttempts 5",
    ours="forwarded with a new id, its content, and the four attributes",
)
def dead_letter(stage: Stage) -> str:
    endpoint = stage.endpoint(nacks)
    topic, source, gone = dead_lettered(stage, endpoint.url)
    published = stage.api.publish(topic, b"\x00dead", {"colour": "blue"})
    found = stage.api.pull(gone)
    assert len(endpoint.pushes) == 5
    first = endpoint.pushes[0].message
    attributes = found["attributes"]
    assert found["data"] == b"\x00dead"
    assert found["messageId"] != published
    assert attributes == {
        "colour": "blue",
        f"{DEAD_LETTER}DeliveryCount": "5",
        f"{DEAD_LETTER}Subscription": source.rpartition("/")[2],
        f"{DEAD_LETTER}SubscriptionProject": "demo",
        f"{DEAD_LETTER}TopicPublishTime": attributes[f"{DEAD_LETTER}TopicPublishTime"],
    }
    assert attributes[f"{DEAD_LETTER}TopicPublishTime"][:19] == first["publishTime"][:19]
    return "forwarded with a new id, its content, and the four attributes"


@scenario("no endpoint at all, with maxDeliveryAttempts 5", ours="forwarded as well")
def dead_endpoint(stage: Stage) -> str:
    endpoint = stage.endpoint(listens=False)
    topic, _, gone = dead_lettered(stage, endpoint.url)
    stage.api.publish(topic, b"nobody")
    return "forwarded as well" if stage.api.pull(gone)["data"] == b"nobody" else "changed"


@scenario(
    "five nacks with maxDeliveryAttempts 5 and an ordering key",
    ours="forwarded with its key; then the next of the key is pushed",
    emulator="nothing is forwarded, and the subscription never pushes again",
    documented=f"dead-lettering and ordering go together ({FAILURES})",
)
def ordered_dead_letter(stage: Stage) -> str:
    endpoint = stage.endpoint(lambda push: Answer(503 if push.text == '"bad"' else 200))
    topic, _, gone = dead_lettered(stage, endpoint.url, enableMessageOrdering=True)
    for text in ("bad", "good"):
        stage.api.publish(topic, text, key="one")
    endpoint.wait_for(5)
    if not endpoint.soon(lambda pushes: any(push.text == '"good"' for push in pushes), 5.0):
        assert stage.api.is_empty(gone)
        return "nothing is forwarded, and the subscription never pushes again"
    found = stage.api.pull(gone)
    assert (found["data"], found["orderingKey"]) == (b'"bad"', "one")
    assert texts(endpoint) == ['"bad"'] * 5 + ['"good"']
    return "forwarded with its key; then the next of the key is pushed"


def first_gap(stage: Stage, **settings: Any) -> str:
    """How long a nacked message waits for its second push."""
    endpoint = stage.endpoint(lambda push: Answer(503 if len(endpoint.pushes) == 1 else 200))
    topic = stage.api.topic()
    policy = {"minimumBackoff": f"{BACKOFF_SECONDS}s", "maximumBackoff": "600s"}
    stage.api.push(topic, endpoint.url, retryPolicy=policy, **settings)
    stage.api.publish(topic, "again", key="one")
    first, second = endpoint.wait_for(2)
    # The first push was nacked a little after it arrived, so less than the backoff is sooner.
    kept = second.at - first.at > BACKOFF_SECONDS - 0.5
    return "after its minimum backoff" if kept else "after a second"


@scenario(
    "the first retry, with a retry policy",
    ours="after its minimum backoff",
    emulator="after a second",
    documented=f"the backoff lies between minimum and maximum ({RETRIES})",
)
def retry_policy(stage: Stage) -> str:
    return first_gap(stage)


@scenario(
    "the first retry, with a retry policy and an ordering key",
    ours="after its minimum backoff",
    emulator="after a second",
    documented=f"the policy holds for every subscription ({RETRIES})",
)
def ordered_retry_policy(stage: Stage) -> str:
    return first_gap(stage, enableMessageOrdering=True)


@scenario(
    "six retries, without a retry policy",
    ours="the gaps grow: the push backoff doubles from 100 ms to 60 s",
    emulator="a second each",
    documented="a push backoff for the whole subscription that cannot be switched off "
    "([push](https://cloud.google.com/pubsub/docs/push#push_backoff))",
)
def push_backoff(stage: Stage) -> str:
    endpoint = stage.endpoint(nacks)
    topic = stage.api.topic()
    stage.api.push(topic, endpoint.url)
    stage.api.publish(topic, "again")
    at = [push.at for push in endpoint.wait_for(7)]
    # Ours is 3.2 s at least by then; a busy machine makes the emulator's no three times as long.
    grown = at[6] - at[5] > 3
    return (
        "the gaps grow: the push backoff doubles from 100 ms to 60 s" if grown else "a second each"
    )


@scenario("a message that is always nacked", ours="others are pushed meanwhile")
def poison(stage: Stage) -> str:
    endpoint = stage.endpoint(lambda push: Answer(503 if push.text == '"poison"' else 200))
    topic = stage.api.topic()
    stage.api.push(topic, endpoint.url)
    stage.api.publish(topic, "poison")
    endpoint.wait_for(2)
    for number in range(5):
        stage.api.publish(topic, number)
    wanted = {str(number) for number in range(5)}
    endpoint.wait(lambda pushes: wanted <= {push.text for push in pushes}, "the others")
    return "others are pushed meanwhile"
