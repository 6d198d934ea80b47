"""The closed loop: send, wait for the entry in the log, and say what is broken when none comes."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from worker.project.entries import entries_of
from worker.project.project import Project
from worker.rest import CallFailed
from worker.smoke.gather import gather
from worker.smoke.ladder import cause, climb
from worker.smoke.question import Content, Question, Sent, Time
from worker.smoke.sending import publish, push
from worker.smoke.verdict import Conclusion, Times, Verdict
from worker.smoke.watch import Reader, Watched, pauses, watch

Say = Callable[[str], None]  # what is going on now, in a few words
Opened = Callable[[str], AbstractContextManager[Reader]]


def smoke(
    question: Question,
    say: Say,
    time: Time | None = None,
    *,
    project: Project | None = None,
    readers: Opened = entries_of,
) -> Verdict:
    """Prove it, or say why not. Nothing is raised for what the cloud says or does."""
    project = project or Project(question.deployment.project)
    try:
        with readers(question.deployment.project) as reader:
            return _Loop(question, project, reader, time or Time(), say).verdict()
    except CallFailed as failed:
        return Verdict(Conclusion.COULD_NOT_ASK, question, error=str(failed))


class _Loop:
    """One run of it. Every method raises CallFailed: it could not be asked."""

    def __init__(
        self, question: Question, project: Project, reader: Reader, time: Time, say: Say
    ) -> None:
        self._question = question
        self._project = project
        self._reader = reader
        self._time = time
        self._say = say
        self._pauses = pauses()  # of the whole run: the quota knows no single messages
        self._sent: Sent | None = None  # the last message

    def verdict(self) -> Verdict:
        """Of the whole way. What was sent before it could not be asked is told."""
        try:
            return self._run()
        except CallFailed as failed:
            return Verdict(Conclusion.COULD_NOT_ASK, self._question, self._sent, error=str(failed))

    def _run(self) -> Verdict:
        until = self._time.seconds() + self._question.wait_seconds
        sent, watched = self._try(until)
        while self._by_another(watched) and self._time.seconds() < until:
            self._say(f"{watched.processed[-1].revision} handled it: trying again")
            self._time.sleep(next(self._pauses))
            sent, watched = self._try(until)
        times = _times(self._question, sent, watched)
        proof = watched.by(self._question.revision)
        if proof is not None:
            return Verdict(Conclusion.PROVED, self._question, sent, proof, times)
        return self._look(sent, times)

    def _try(self, until: float) -> tuple[Sent, Watched]:
        """Send one message, and wait for its entry."""
        sent = self._sent = self._send()
        watched = self._wait(sent, until) if sent.taken else Watched()
        if watched.failed:
            raise watched.failed
        return sent, watched

    def _by_another(self, watched: Watched) -> bool:
        """Whether another revision took it: traffic that was just shifted takes seconds to move."""
        wanted = self._question.revision
        return bool(
            wanted and not self._question.url
            and watched.processed and watched.processed[-1].done and not watched.by(wanted)
        )  # fmt: skip

    def _send(self) -> Sent:
        content = Content()
        if self._question.url:
            self._say(f"pushing to {self._question.url}")
            return push(self._question, content, self._project, self._time)
        self._say(f"publishing to {self._question.topic}")
        return publish(self._question, content, self._time)

    def _wait(self, sent: Sent, until: float) -> Watched:
        verb = "pushed" if self._question.url else "published"
        self._say(f"{verb} {sent.message_id}: waiting for its log entry")
        return watch(self._question, sent, self._reader, self._time, (self._pauses, until))

    def _look(self, sent: Sent, times: Times) -> Verdict:
        self._say("not proved: looking for what is broken")
        evidence = gather(self._question, sent, self._project, self._reader)
        rungs = climb(evidence)
        return Verdict(
            Conclusion.NOT_PROVED, self._question, sent, evidence.last, times, rungs, cause(rungs)
        )


def _times(question: Question, sent: Sent, watched: Watched) -> Times:
    entry = watched.by(question.revision) or (watched.processed or (None,))[-1]
    published = None if question.url or sent.missing else sent.ended
    if entry is None:
        return Times(published, sent.began if sent.answer else None)
    return Times(published, entry.arrived, entry.time, watched.seen)
