"""What could not be asked, and what the asker lacks."""

import shlex
from collections.abc import Iterator
from http import HTTPStatus

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.commands import enable, grant_on_project
from worker.doctor.live.snapshot import Live, Unread
from worker.rest import DISABLED_VARIABLE

_YOU = "user:YOUR_EMAIL"
_AGAIN = ("python", "-m", "worker", "doctor")
_LOGIN = "gcloud auth application-default login"
# Google's words for an API that is off; the code is PERMISSION_DENIED, as without a role.
_OFF = ("has not been used in project", "it is disabled", "SERVICE_DISABLED")

NOT_READABLE = Check(
    "not-readable", Severity.NOTE,
    "everything that is asked may be read",
    "The checks that need it were not made.",
    "gcloud projects add-iam-policy-binding PROJECT --member=user:YOU --role=roles/viewer",
)  # fmt: skip


def unreadable(live: Live, deployment: Deployment) -> Iterator[Finding]:
    """A note for each question without an answer."""
    for one in live.unread():
        question = one.question
        what = f"{question.about} cannot be read (it takes {question.permission}): {one.reason}"
        where = f"projects/{deployment.project}"
        yield found(NOT_READABLE, where, what, _fix(one, deployment.project))


def _fix(unread: Unread, project: str) -> str:
    if any(words in unread.reason for words in _OFF):
        return enable(project, unread.question.api)
    if DISABLED_VARIABLE in unread.reason:
        return f"ask from a shell without {DISABLED_VARIABLE}"
    if unread.status in (0, HTTPStatus.UNAUTHORIZED):
        return _LOGIN
    if unread.status == HTTPStatus.FORBIDDEN:
        return grant_on_project(project, _YOU, unread.question.role)
    return shlex.join((*_AGAIN, f"--project={project}"))
