"""Sends the message: publishes it to the topic, or pushes it to a url with a token."""

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

from worker.client.deliver import Answer, Unreachable, check_url, deliver, on_this_machine
from worker.client.forms import Delivery, Request, request_of
from worker.client.text import quote
from worker.message import Form
from worker.project.apis import CREDENTIALS
from worker.project.credentials import find_credentials
from worker.project.project import Project
from worker.pubsub import Publisher, PublishFailed
from worker.rest import CallFailed
from worker.smoke.question import Content, Question, Sent, Time

_NOT_FOUND, _FORBIDDEN = 404, 403
# A new tag, and leave that was just given, take seconds to arrive at every front end of Cloud Run.
_AGAIN = frozenset({403, 404, 429, 502, 503})
_AGAIN_SECONDS = (1.0, 2.0, 4.0)


def publish(question: Question, content: Content, time: Time) -> Sent:
    """Publish it. Raises CallFailed; a topic that is not there is an answer."""
    began = time.now()
    try:
        message_id = Publisher(find_credentials).publish(question.topic, content.message)
    except PublishFailed as failed:
        if failed.status == _NOT_FOUND:
            return Sent(content.nonce, "", began, time.now(), missing=True)
        raise CallFailed(f"nothing can be published: {failed}", failed.status) from None
    return Sent(content.nonce, message_id, began, time.now())


def push(question: Question, content: Content, project: Project, time: Time) -> Sent:
    """Push it to the url as the subscription would. Raises CallFailed: no token can be had."""
    try:
        url = check_url(question.url)
    except Unreachable as unusable:
        raise CallFailed(str(unusable)) from None
    if urlsplit(url).scheme != "https" and not is_here(url):
        raise CallFailed("--url wants https: a token is not sent in the clear")
    token = _token(question, project)
    message_id = content.nonce
    delivery = Delivery(
        content.message.data,
        message_id=message_id,
        subscription=question.subscription,
        publish_time=time.now(),
    )
    request = request_of(Form.WRAPPED, delivery)
    sent = Sent(content.nonce, message_id, delivery.publish_time, delivery.publish_time)
    for pause in (*_pauses(question), None):
        sent = _pushed(sent, url, request, token, question)
        if pause is None or not _front_end_said(sent.answer):
            break
        time.sleep(pause)
    return replace(sent, ended=time.now())


def _pushed(sent: Sent, url: str, request: Request, token: str, question: Question) -> Sent:
    seconds = max(question.wait_seconds, question.deployment.ack_deadline_seconds)
    try:
        answer = deliver(url, request, token, seconds)
    except Unreachable as unreachable:
        return replace(sent, answer=None, unreachable=str(unreachable))
    return replace(sent, answer=answer, unreachable="")


def _pauses(question: Question) -> Iterator[float]:
    """Before it is tried again; never longer than a quarter of the time, nor on this machine."""
    for pause in () if is_here(question.url) else _AGAIN_SECONDS:
        if pause <= question.wait_seconds / 4:
            yield pause


def _front_end_said(answer: Answer | None) -> bool:
    """Whether it was not the worker that answered, but what stands before it."""
    return answer is None or (answer.status in _AGAIN and not answer.outcome)


def is_here(url: str) -> bool:
    """Whether the address is on this machine, in the clear."""
    return urlsplit(url).scheme == "http" and on_this_machine(url)


def origin_of(url: str) -> str:
    """Scheme and host of an address: what Cloud Run calls a service's URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _token(question: Question, project: Project) -> str:
    """An ID token of the push account; "" where nobody wants one."""
    if is_here(question.url) and not question.audience:
        return ""
    account = question.push_account
    body = {"audience": audience_of(question, project), "includeEmail": True}
    path = f"v1/projects/-/serviceAccounts/{account}:generateIdToken"
    try:
        return str(project.google.call(CREDENTIALS, "POST", path, body).get("token", ""))
    except CallFailed as failed:
        raise CallFailed(_no_token(account, failed), failed.status) from None


def audience_of(question: Question, project: Project) -> str:
    """--audience, else the service's address, else that of the url."""
    if question.audience:
        return question.audience
    try:
        service = project.service(question.deployment.service_name)
    except CallFailed:
        service = None
    return str((service or {}).get("uri") or origin_of(question.url))


def _no_token(account: str, failed: CallFailed) -> str:
    said = f"no token of {account} can be had: {failed}"
    if failed.status != _FORBIDDEN:
        return said
    leave = (
        f"gcloud iam service-accounts add-iam-policy-binding {quote(account)} "
        "--member=YOU --role=roles/iam.serviceAccountTokenCreator"
    )
    return f"{said} (an owner can allow it: {leave})"
