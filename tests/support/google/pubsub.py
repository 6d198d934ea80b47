"""Pub/Sub's topics and subscriptions, where no real Pub/Sub is beside us. No message moves."""

from tests.support.google.policies import resource_name
from tests.support.google.request import Json, Refused, Request
from tests.support.google.routes import route
from tests.support.google.state import PROJECT, State, patched

_TOPICS = "/v1/projects/{project}/topics"
_SUBSCRIPTIONS = "/v1/projects/{project}/subscriptions"
_RANGES = {"ackDeadlineSeconds": (10, 600), "maxDeliveryAttempts": (5, 100)}
_DEFAULTS: Json = {
    "pushConfig": {}, "ackDeadlineSeconds": 10, "messageRetentionDuration": "604800s",
    "expirationPolicy": {"ttl": "2678400s"},
}  # fmt: skip


def create_topic(state: State, request: Request) -> Json:
    return state.add("pubsub", request.parent, {**request.json, "name": request.parent})


def create_subscription(state: State, request: Request) -> Json:
    given = request.json
    state.get("pubsub", resource_name(given.get("topic", "")))
    _check(given)
    made = {**_DEFAULTS, **given, "name": request.parent, "state": "ACTIVE"}
    return state.add("pubsub", request.parent, made)


def _check(given: Json) -> None:
    values = {**given, **given.get("deadLetterPolicy", {})}
    for name, (least, most) in _RANGES.items():
        if not least <= (values.get(name) or least) <= most:
            raise Refused(400, f"{name} must be {least} to {most}")


def get(state: State, request: Request) -> Json:
    return state.get("pubsub", request.parent)


def patch(state: State, request: Request) -> Json:
    """The mask is in the body. Source: UpdateSubscriptionRequest, UpdateTopicRequest."""
    kind = "topic" if "/topics/" in request.path else "subscription"
    mask = request.json.get("updateMask", "")
    if not mask:
        raise Refused(400, "The update_mask must name at least one field.")
    changed = patched(state.get("pubsub", request.parent), request.json.get(kind, {}), mask)
    _check(changed)
    state.resources["pubsub", request.parent] = changed
    return changed


def modify_push(state: State, request: Request) -> Json:
    """The whole push configuration is replaced."""
    state.get("pubsub", request.parent)["pushConfig"] = request.json.get("pushConfig", {})
    return {}


def delete(state: State, request: Request) -> Json:
    """Subscriptions outlive their topic."""
    state.remove("pubsub", request.parent)
    for one in state.under("pubsub", f"projects/{PROJECT}/subscriptions"):
        if one["topic"] == request.parent:
            one["topic"] = "_deleted-topic_"
    return {}


def list_topics(state: State, _request: Request) -> Json:
    return {"topics": state.under("pubsub", f"projects/{PROJECT}/topics")}


def list_subscriptions(state: State, _request: Request) -> Json:
    return {"subscriptions": state.under("pubsub", f"projects/{PROJECT}/subscriptions")}


def publish(state: State, request: Request) -> Json:
    """They get ids, and nobody gets them."""
    state.get("pubsub", request.parent)
    return {"messageIds": [str(state.number()) for _ in request.json.get("messages", [])]}


def pull(state: State, request: Request) -> Json:
    """There is never a message."""
    state.get("pubsub", request.parent)
    return {}


ROUTES = (
    route("pubsub", "GET", _TOPICS, list_topics),
    route("pubsub", "PUT", f"{_TOPICS}/{{topic}}", create_topic),
    route("pubsub", "GET", f"{_TOPICS}/{{topic}}", get),
    route("pubsub", "PATCH", f"{_TOPICS}/{{topic}}", patch),
    route("pubsub", "DELETE", f"{_TOPICS}/{{topic}}", delete),
    route("pubsub", "POST", f"{_TOPICS}/{{topic}}:publish", publish),
    route("pubsub", "GET", _SUBSCRIPTIONS, list_subscriptions),
    route("pubsub", "PUT", f"{_SUBSCRIPTIONS}/{{subscription}}", create_subscription),
    route("pubsub", "GET", f"{_SUBSCRIPTIONS}/{{subscription}}", get),
    route("pubsub", "PATCH", f"{_SUBSCRIPTIONS}/{{subscription}}", patch),
    route("pubsub", "DELETE", f"{_SUBSCRIPTIONS}/{{subscription}}", delete),
    route("pubsub", "POST", f"{_SUBSCRIPTIONS}/{{subscription}}:modifyPushConfig", modify_push),
    route("pubsub", "POST", f"{_SUBSCRIPTIONS}/{{subscription}}:pull", pull),
)
