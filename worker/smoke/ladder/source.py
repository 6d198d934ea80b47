"""Is there a topic, and a subscription of it?"""

from worker.smoke.evidence import Evidence, Json, Unknown
from worker.smoke.ladder.commands import Commands
from worker.smoke.ladder.rung import Rung, broken, not_asked, ok, unknown

_NO_PART = "the message was pushed to --url"


def topic(evidence: Evidence) -> Rung:
    """Publishing said it."""
    asked = evidence.question
    if asked.url:
        return not_asked(_NO_PART)
    if not evidence.sent.missing:
        return ok(f"{asked.topic} took the message")
    return broken(
        f"the topic {asked.topic} is not there",
        "Nobody can publish. A new topic of that name needs a new subscription: that of a deleted "
        "topic stays without one. `python -m worker provision` makes both.",
        Commands(asked.deployment).create_topic(),
        topic=asked.topic,
    )


def subscription(evidence: Evidence) -> Rung:
    """What Pub/Sub says of it."""
    if evidence.question.url:
        return not_asked(_NO_PART)
    if evidence.arrived:
        return ok("the message came through it")
    if isinstance(evidence.subscription, Unknown):
        return unknown(evidence.subscription.why)
    return _state_of(evidence, evidence.subscription)


def _state_of(evidence: Evidence, its: Json | None) -> Rung:
    asked = evidence.question
    commands = Commands(asked.deployment)
    if its is None:
        return broken(
            f"the subscription {asked.subscription} is not there",
            "What is published is given to nobody, and is lost to a subscription made later.",
            commands.create_subscription(evidence.service_url),
        )
    if its.get("detached") or its.get("topic") != asked.topic:
        source = "no topic: it is detached" if its.get("detached") else str(its.get("topic"))
        return broken(
            f"the subscription {asked.subscription} takes from {source}, not from {asked.topic}",
            "It gets nothing that is published there, and cannot be attached again: it has to be "
            "made anew. What waits in it is lost.",
            commands.delete_subscription(),
            commands.create_subscription(evidence.service_url or evidence.endpoint),
            topic=its.get("topic"), detached=bool(its.get("detached")),
        )  # fmt: skip
    if its.get("filter"):
        return unknown(f"its filter may not let the message pass: {its['filter']}")
    return ok(f"{asked.subscription} takes from the topic")
