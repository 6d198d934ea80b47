"""What a push looks like."""

import base64
from typing import Any

import jwt

from tests.differential.endpoint import Push, nacks_first
from tests.differential.scenario import scenario
from tests.differential.stage import Stage

PUBLISHED = b'{"feature": "smoke_test"}'


def pushed(
    stage: Stage, data: bytes = PUBLISHED, attributes: dict[str, str] | None = None,
    key: str = "", **settings: Any
) -> Push:  # fmt: skip
    """The push of one message to a subscription with these settings."""
    endpoint = stage.endpoint()
    topic = stage.api.topic()
    stage.api.push(topic, f"{endpoint.url}/push?token=a", **settings)
    stage.api.publish(topic, data, attributes, key)
    (push,) = endpoint.wait_for(1)
    return push


@scenario("the wrapped body", ours="subscription; message with both spellings of id and time")
def wrapped(stage: Stage) -> str:
    push = pushed(stage, attributes={"name": "Zoë"})
    message = push.message
    assert (push.method, push.path) == ("POST", "/push?token=a")
    assert push.headers["content-type"] == "application/json"
    assert push.wrapped["subscription"].startswith("projects/demo/subscriptions/")
    assert base64.b64decode(message["data"]) == PUBLISHED
    assert message["attributes"] == {"name": "Zoë"}
    assert message["messageId"] == message["message_id"]
    assert message["publishTime"] == message["publish_time"]
    assert message["publishTime"].endswith("Z")
    return "subscription; message with both spellings of id and time"


@scenario(
    "`orderingKey` in the wrapped body",
    ours="there",
    emulator="missing",
    documented="the body is a PubsubMessage, which has it "
    "([PubsubMessage](https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage))",
)
def ordering_key(stage: Stage) -> str:
    push = pushed(stage, key="a key", enableMessageOrdering=True)
    return {None: "missing", "a key": "there"}[push.message.get("orderingKey")]


@scenario(
    "`deliveryAttempt` in the wrapped body, with a dead-letter policy",
    ours="counts from 1",
    emulator="missing",
    documented="pushes of a subscription with a dead-letter policy have it "
    "([dead-letter topics](https://cloud.google.com/pubsub/docs/handling-failures#track-delivery-attempts))",
)
def delivery_attempt(stage: Stage) -> str:
    endpoint = stage.endpoint(nacks_first)
    topic = stage.api.topic()
    policy = {"deadLetterTopic": stage.api.topic("dead"), "maxDeliveryAttempts": 5}
    stage.api.push(topic, endpoint.url, deadLetterPolicy=policy)
    stage.api.publish(topic, "attempts")
    # The body differs by the attempt, so for ours both are the first of their kind: both nacked.
    first, second = [push.wrapped.get("deliveryAttempt") for push in endpoint.wait_for(2)]
    return {(None, None): "missing", (1, 2): "counts from 1"}[first, second]


@scenario("`deliveryAttempt` in the wrapped body, without a dead-letter policy", ours="missing")
def no_delivery_attempt(stage: Stage) -> str:
    return "there" if "deliveryAttempt" in pushed(stage).wrapped else "missing"


@scenario(
    "data in the wrapped body of a message that has attributes only",
    ours="missing",
    emulator="an empty string",
    documented="a message without data must have attributes, so the field may be absent "
    "([PubsubMessage](https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage))",
)
def no_data(stage: Stage) -> str:
    message = pushed(stage, b"", {"only": "attributes"}).message
    return {None: "missing", "": "an empty string"}[message.get("data")]


@scenario(
    "attributes in the wrapped body of a message without any",
    ours="missing",
    emulator="an empty object",
    documented="data alone is enough, so the field may be absent "
    "([PubsubMessage](https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage))",
)
def no_attributes(stage: Stage) -> str:
    found = pushed(stage).message.get("attributes")
    return "missing" if found is None else "an empty object"


@scenario("binary data, wrapped", ours="arrives whole")
def binary(stage: Stage) -> str:
    data = bytes(range(256))
    return "arrives whole" if pushed(stage, data).data == data else "changed"


@scenario("10,000,000 bytes of data", ours="arrive whole")
def big(stage: Stage) -> str:
    data = b"0123456789" * 1_000_000
    return "arrive whole" if pushed(stage, data).data == data else "changed"


@scenario(
    "`oidcToken` in the push configuration",
    ours="a signed token of that account, for that audience",
    emulator="no Authorization header",
    documented="the push carries a signed JWT "
    "([authentication](https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions))",
)
def oidc(stage: Stage) -> str:
    account = {"serviceAccountEmail": "push@demo.iam.gserviceaccount.com", "audience": "worker"}
    push = pushed(stage, pushConfig={"oidcToken": account})
    scheme, _, token = push.headers.get("authorization", "").partition(" ")
    if not token:
        return "no Authorization header"
    assert (scheme, jwt.get_unverified_header(token)["alg"]) == ("Bearer", "RS256")
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["email"], claims["aud"]) == (account["serviceAccountEmail"], "worker")
    return "a signed token of that account, for that audience"


@scenario(
    "who the sender says it is (User-Agent)",
    ours="APIs-Google; (+https://developers.google.com/webmasters/APIs-Google.html)",
    emulator="Java",
    documented="[Google's crawlers](https://developers.google.com/search/docs/crawling-indexing/google-special-case-crawlers#apis-google)",
)
def user_agent(stage: Stage) -> str:
    return pushed(stage).headers["user-agent"].partition("/1")[0]


@scenario(
    "message ids",
    ours="never come again",
    emulator="count from 1 after every start",
    documented="unique within the topic "
    "([PubsubMessage](https://cloud.google.com/pubsub/docs/reference/rest/v1/PubsubMessage))",
)
def ids(stage: Stage) -> str:
    published = stage.api.publish(stage.api.topic(), "id")
    # Ours go on from the time of the first start, so they are large from the first on.
    small = int(published) < 1_000_000  # more than a run of tests publishes
    return "count from 1 after every start" if small else "never come again"
