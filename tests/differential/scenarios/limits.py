"""What is refused, and what the emulator takes although the real service does not."""

from tests.differential.scenario import scenario
from tests.differential.stage import Stage, encoded, in_short

QUOTAS = "[quotas and limits](https://cloud.google.com/pubsub/quotas#resource_limits)"
DATA = {"data": encoded(b"x")}


@scenario(
    "publish with 101 attributes, a key of 257 bytes, a value of 1,025, a key `goog…` or no key",
    ours="refused: 400",
    emulator="taken",
    documented=QUOTAS,
)
def attributes(stage: Stage) -> str:
    topic = stage.api.topic()
    cases = {
        "101 attributes": {f"a{number}": "" for number in range(101)},
        "long key": {"k" * 257: ""},
        "long value": {"k": "v" * 1025},
        "goog": {"googclient": "x"},
        "empty key": {"": "x"},
    }
    return in_short(
        {
            name: stage.publish(topic, {**DATA, "attributes": one}).word
            for name, one in cases.items()
        }
    )


@scenario("publish with 100 attributes, a key of 256 bytes and a value of 1,024", ours="taken")
def within_limits(stage: Stage) -> str:
    topic = stage.api.topic()
    most = {f"a{number}": "" for number in range(98)} | {"k" * 256: "v" * 1024, "é": "ü" * 512}
    return stage.publish(topic, {**DATA, "attributes": most}).word


@scenario(
    "publish with an ordering key of 1,025 bytes",
    ours="refused: 400",
    emulator="taken",
    documented=QUOTAS,
)
def ordering_key(stage: Stage) -> str:
    return stage.publish(stage.api.topic(), {**DATA, "orderingKey": "k" * 1025}).word


@scenario(
    "publish 11,000,000 bytes",
    ours="refused: 400",
    emulator="no answer",
    documented=f"10 MB are the most ({QUOTAS})",
)
def too_big(stage: Stage) -> str:
    message = {"data": encoded(b"x" * 11_000_000)}
    return stage.publish(stage.api.topic(), message, seconds=10.0).word


@scenario("publish nothing, an empty message, or 1,001 messages", ours="refused: 400")
def batches(stage: Stage) -> str:
    topic = stage.api.topic()
    return in_short(
        {
            "nothing": stage.publish(topic).word,
            "empty": stage.publish(topic, {"attributes": {}}).word,
            "1,001": stage.publish(topic, *[DATA] * 1001).word,
        }
    )


@scenario("a name that is taken", ours="refused: 409")
def taken(stage: Stage) -> str:
    topic = stage.api.topic()
    subscription = stage.api.subscription(topic, "pull")
    return in_short(
        {
            "topic": stage.reply("PUT", topic, {}).word,
            "subscription": stage.reply("PUT", subscription, {"topic": topic}).word,
        }
    )


@scenario("a topic or subscription that is not there", ours="refused: 404")
def missing(stage: Stage) -> str:
    nowhere = "projects/demo/topics/nowhere"
    name = stage.api.name("subscriptions", "orphan")
    policy = {"deadLetterTopic": nowhere, "maxDeliveryAttempts": 5}
    settings = {"topic": stage.api.topic(), "deadLetterPolicy": policy}
    return in_short(
        {
            "get": stage.reply("GET", nowhere).word,
            "publish": stage.publish(nowhere, DATA).word,
            "subscribe": stage.reply("PUT", name, {"topic": nowhere}).word,
            "dead letters": stage.reply("PUT", name, settings).word,
            "pull": stage.reply("POST", f"{name}:pull", {"maxMessages": 1}).word,
        }
    )


@scenario("a name of two characters", ours="refused: 400")
def short_name(stage: Stage) -> str:
    return stage.reply("PUT", "projects/demo/topics/ab", {}).word
