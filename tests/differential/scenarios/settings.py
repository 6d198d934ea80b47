"""What a subscription can be told, and the parts of the API that the emulator lacks."""

from itertools import count

from tests.differential.scenario import scenario
from tests.differential.stage import Stage, in_short

REFERENCE = "https://cloud.google.com/pubsub/docs/reference/rest/v1"
FILTERS = "[filters](https://cloud.google.com/pubsub/docs/subscription-message-filter)"
_numbers = count(1)


def created(stage: Stage, **settings: object) -> str:
    """What becomes of a subscription with these settings."""
    number = next(_numbers)
    topic = stage.api.topic(f"topic-{number}")
    name = stage.api.name("subscriptions", f"subscription-{number}")
    return stage.reply("PUT", name, {"topic": topic, **settings}).word


@scenario(
    "an ack deadline of 5 seconds",
    ours="refused: 400",
    emulator="taken",
    documented=f"10 to 600 seconds ([Subscription]({REFERENCE}/projects.subscriptions))",
)
def short_deadline(stage: Stage) -> str:
    return created(stage, ackDeadlineSeconds=5)


@scenario(
    "an ack deadline of 601 s, a backoff from 9 to 5 s, a retention of 5 s, an endpoint `ftp:`",
    ours="refused: 400",
)
def settings(stage: Stage) -> str:
    backoff = {"minimumBackoff": "9s", "maximumBackoff": "5s"}
    return in_short(
        {
            "deadline": created(stage, ackDeadlineSeconds=601),
            "backoff": created(stage, retryPolicy=backoff),
            "retention": created(stage, messageRetentionDuration="5s"),
            "endpoint": created(stage, pushConfig={"pushEndpoint": "ftp://127.0.0.1/"}),
        }
    )


@scenario(
    "exactly-once delivery for a subscription that pushes",
    ours="refused: 400",
    emulator="taken",
    documented="for pull subscriptions only "
    "([exactly-once](https://cloud.google.com/pubsub/docs/exactly-once-delivery))",
)
def exactly_once(stage: Stage) -> str:
    config = {"pushEndpoint": "http://127.0.0.1:9/"}
    return created(stage, pushConfig=config, enableExactlyOnceDelivery=True)


@scenario("maxDeliveryAttempts 4 or 101", ours="refused: 400")
def delivery_attempts(stage: Stage) -> str:
    dead = stage.api.topic("dead")
    return in_short(
        {
            most: created(
                stage, deadLetterPolicy={"deadLetterTopic": dead, "maxDeliveryAttempts": most}
            )
            for most in (4, 101)
        }
    )


@scenario(
    "a filter",
    ours="only what matches is pushed",
    emulator="everything is pushed",
    documented=FILTERS,
)
def filters(stage: Stage) -> str:
    endpoint = stage.endpoint()
    topic = stage.api.topic()
    stage.api.push(topic, endpoint.url, filter='attributes.kind = "wanted"')
    for kind in ("other", "wanted"):
        stage.api.publish(topic, kind, {"kind": kind})
    wanted = endpoint.wait(lambda pushes: any(p.text == '"wanted"' for p in pushes), "the wanted")
    stage.settle()
    alone = len(endpoint.pushes) == len(wanted) == 1
    return "only what matches is pushed" if alone else "everything is pushed"


@scenario("a filter that is none", ours="refused: 400", emulator="taken", documented=FILTERS)
def wrong_filter(stage: Stage) -> str:
    return created(stage, filter="this is ( not valid")


@scenario(
    "change labels, filter or expiration of a subscription",
    ours="labels and expiration: taken; filter: refused: 400",
    emulator="labels and expiration: refused: 400; filter: refused: 400",
    documented="a filter cannot be changed, the others can "
    f"([patch]({REFERENCE}/projects.subscriptions/patch))",
)
def update(stage: Stage) -> str:
    topic = stage.api.topic()
    name = stage.api.subscription(topic, "changed")

    def patch(field: str, value: object) -> str:
        body = {"subscription": {"name": name, field: value}, "updateMask": field}
        return stage.reply("PATCH", name, body).word

    labels = patch("labels", {"team": "one"})
    expiration = patch("expirationPolicy", {"ttl": "2592000s"})
    either = labels if labels == expiration else f"{labels} and {expiration}"
    changed = patch("filter", "attributes:a")
    return f"labels and expiration: {either}; filter: {changed}"


@scenario(
    "read and change IAM policies",
    ours="kept, not enforced",
    emulator="refused: 501",
    documented=f"[setIamPolicy]({REFERENCE}/projects.topics/setIamPolicy)",
)
def iam(stage: Stage) -> str:
    topic = stage.api.topic()
    bindings = [{"role": "roles/pubsub.publisher", "members": ["user:a@example.com"]}]
    reply = stage.reply("POST", f"{topic}:setIamPolicy", {"policy": {"bindings": bindings}})
    if reply.word != "taken":
        return reply.word
    kept = stage.api.call("GET", f"{topic}:getIamPolicy", {})["bindings"] == bindings
    return "kept, not enforced" if kept else "forgotten"


@scenario(
    "schemas",
    ours="not there",
    emulator="Avro: kept; protocol buffers: refused",
    documented="both kinds ([schemas](https://cloud.google.com/pubsub/docs/schemas)); "
    "a worker checks its payloads itself, so ours goes without",
)
def schemas(stage: Stage) -> str:
    avro = '{"type": "record", "name": "A", "fields": [{"name": "a", "type": "string"}]}'
    proto = 'syntax = "proto3"; message A { string a = 1; }'
    name = stage.api.name("schemas", "avro")
    words = [
        stage.reply(
            "POST", f"projects/demo/schemas?schemaId={name.rpartition('/')[2]}-{kind}",
            {"type": kind, "definition": text},
        ).word
        for kind, text in (("AVRO", avro), ("PROTOCOL_BUFFER", proto))
    ]  # fmt: skip
    if words == ["taken", "refused: 501"]:
        return "Avro: kept; protocol buffers: refused"
    return "not there" if set(words) == {"refused: 404"} else f"{words}"
