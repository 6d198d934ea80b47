"""Pull, seek, snapshots, and a subscription that changes while messages wait."""

from datetime import UTC, datetime, timedelta

from tests.differential.scenario import scenario
from tests.differential.stage import Stage

REFERENCE = "https://cloud.google.com/pubsub/docs/reference/rest/v1"


def received(stage: Stage, subscription: str) -> list[dict[str, str]]:
    """What a pull gives at once."""
    body = {"maxMessages": 10, "returnImmediately": True}
    answer = stage.api.call("POST", f"{subscription}:pull", body)
    return list(answer.get("receivedMessages", []))


def pulled(stage: Stage, subscription: str) -> str:
    """The ack id of the next message."""
    body = {"maxMessages": 1}
    while not (
        found := stage.api.call("POST", f"{subscription}:pull", body).get("receivedMessages")
    ):
        pass  # each call waits in the server, and the test has a timeout
    return str(found[0]["ackId"])


@scenario("a pulled message", ours="not given again until it is nacked, gone when it is acked")
def pull(stage: Stage) -> str:
    topic = stage.api.topic()
    subscription = stage.api.subscription(topic, "pull")
    stage.api.publish(topic, "pulled")
    ack = {"ackIds": [pulled(stage, subscription)]}
    assert received(stage, subscription) == []
    stage.api.call("POST", f"{subscription}:modifyAckDeadline", {**ack, "ackDeadlineSeconds": 0})
    ack = {"ackIds": [pulled(stage, subscription)]}
    stage.api.call("POST", f"{subscription}:acknowledge", ack)
    stage.settle()
    assert received(stage, subscription) == []
    return "not given again until it is nacked, gone when it is acked"


@scenario(
    "pull from a subscription that pushes",
    ours="refused: 400",
    emulator="taken",
    documented="FAILED_PRECONDITION, not supported for push subscriptions "
    "([as the service answers](https://github.com/wso2/product-integrator-mi/issues/1644))",
)
def pull_from_push(stage: Stage) -> str:
    subscription = stage.api.push(stage.api.topic(), stage.endpoint().url)
    body = {"maxMessages": 1, "returnImmediately": True}
    return stage.reply("POST", f"{subscription}:pull", body).word


@scenario("seek to a time before an acked message, with retainAckedMessages", ours="given again")
def seek_back(stage: Stage) -> str:
    topic = stage.api.topic()
    subscription = stage.api.subscription(topic, "pull", retainAckedMessages=True)
    published = stage.api.publish(topic, "replayed")
    assert stage.api.pull(subscription)["messageId"] == published
    before = (datetime.now(UTC) - timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    stage.api.call("POST", f"{subscription}:seek", {"time": before})
    again = stage.api.pull(subscription)["messageId"] == published
    return "given again" if again else "something else"


@scenario("seek to a time to come", ours="what waits is gone")
def seek_forward(stage: Stage) -> str:
    topic = stage.api.topic()
    subscription = stage.api.subscription(topic, "pull")
    stage.api.publish(topic, "purged")
    after = (datetime.now(UTC) + timedelta(minutes=5)).isoformat().replace("+00:00", "Z")
    stage.api.call("POST", f"{subscription}:seek", {"time": after})
    return "what waits is gone" if received(stage, subscription) == [] else "given still"


@scenario("seek to a snapshot", ours="what was acked since is given again")
def snapshot(stage: Stage) -> str:
    topic = stage.api.topic()
    subscription = stage.api.subscription(topic, "pull")
    published = stage.api.publish(topic, "in the snapshot")
    name = stage.api.name("snapshots", "snapshot")
    stage.api.call("PUT", name, {"subscription": subscription})
    assert stage.api.pull(subscription)["messageId"] == published
    stage.api.call("POST", f"{subscription}:seek", {"snapshot": name})
    again = stage.api.pull(subscription)["messageId"] == published
    return "what was acked since is given again" if again else "something else"


@scenario("an endpoint taken away and given back", ours="what was published meanwhile is pushed")
def pause(stage: Stage) -> str:
    endpoint = stage.endpoint()
    topic = stage.api.topic()
    subscription = stage.api.push(topic, endpoint.url)
    change = f"{subscription}:modifyPushConfig"
    stage.api.call("POST", change, {"pushConfig": {}})
    stage.settle()  # a push that was about to begin may still go to the old endpoint
    published = stage.api.publish(topic, "paused")
    stage.settle()
    assert endpoint.pushes == []
    stage.api.call("POST", change, {"pushConfig": {"pushEndpoint": endpoint.url}})
    (push,) = endpoint.wait_for(1)
    again = push.message["messageId"] == published
    return "what was published meanwhile is pushed" if again else "something else"


@scenario(
    "detach a subscription",
    ours="done: it gets no message any more",
    emulator="refused: 501",
    documented=f"[detach]({REFERENCE}/projects.subscriptions/detach)",
)
def detach(stage: Stage) -> str:
    topic = stage.api.topic()
    subscription = stage.api.subscription(topic, "pull")
    reply = stage.reply("POST", f"{subscription}:detach", {})
    if reply.word != "taken":
        return reply.word
    assert stage.api.call("GET", subscription, {})["detached"] is True
    listed = stage.api.call("GET", f"{topic}/subscriptions", {})
    assert not listed.get("subscriptions")
    return "done: it gets no message any more"


@scenario("delete a topic", ours="its subscriptions stay, of the topic `_deleted-topic_`")
def delete_topic(stage: Stage) -> str:
    topic = stage.api.topic()
    subscription = stage.api.subscription(topic, "pull")
    stage.api.call("DELETE", topic, {})
    name = stage.api.call("GET", subscription, {})["topic"]
    return f"its subscriptions stay, of the topic `{name}`"
