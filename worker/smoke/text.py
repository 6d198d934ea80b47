"""The verdict for people: what happened when, the proof, and where to see the same."""

import json
from collections.abc import Callable, Iterator

from worker.client.text import printable
from worker.smoke.ladder.rung import Rung, State
from worker.smoke.verdict import Conclusion, Times, Verdict

Paint = Callable[[str, str], str]  # a text, and one of "good", "bad", "dim" and "strong"

_MARKS = {State.OK: "ok", State.BROKEN: "BROKEN", State.UNKNOWN: "unknown", State.NOT_ASKED: "-"}
_LOOKS = {State.OK: "good", State.BROKEN: "bad", State.UNKNOWN: "dim", State.NOT_ASKED: "dim"}
_MEANINGS = {
    "published": "Pub/Sub took it",
    "pushed": "the request came to the worker",
    "handled": "the worker answered and logged it",
    "visible": "Cloud Logging showed the entry",
}


def plain(text: str, _look: str) -> str:
    """The text as it is: for what is no terminal."""
    return text


def text_of(verdict: Verdict, paint: Paint = plain) -> str:
    """All lines of it. It could be asked: else there is but the one line of `error`."""
    return "\n".join(_lines(verdict, paint))


def _lines(verdict: Verdict, paint: Paint) -> Iterator[str]:
    yield _headline(verdict, paint)
    yield ""
    yield from _times(verdict, paint)
    if verdict.conclusion is Conclusion.NOT_PROVED:
        yield from _ladder(verdict, paint)
    if verdict.entry is not None:
        yield ""
        yield paint("The entry:", "strong")
        yield from _indented(json.dumps(verdict.entry.entry, indent=2, ensure_ascii=False))
    if verdict.broken is not None:
        yield from _mending(verdict.broken, paint)
    yield from _elsewhere(verdict, paint)


def _headline(verdict: Verdict, paint: Paint) -> str:
    if verdict.conclusion is Conclusion.PROVED:
        by = verdict.entry.revision if verdict.entry else ""
        what = f"{_service(verdict)} received, handled and logged it" + (f" ({by})" if by else "")
        return f"{paint('proved', 'good')}: {printable(what)}"
    if verdict.broken is not None:
        return f"{paint('not proved', 'bad')}: {printable(verdict.broken.what)}"
    return (
        f"{paint('not proved', 'bad')}: no entry came, and nothing that could be looked at is "
        "broken: try a longer --wait"
    )


def _service(verdict: Verdict) -> str:
    return verdict.question.deployment.service if verdict.question else ""


def _times(verdict: Verdict, paint: Paint) -> Iterator[str]:
    seconds = verdict.times.seconds(verdict.entry)
    for name in Times.__slots__:
        time = getattr(verdict.times, name)
        if time is None and verdict.conclusion is Conclusion.PROVED:
            continue  # what is pushed to a url was not published
        when = f"{time.astimezone():%Y-%m-%d %H:%M:%S.%f}"[:-3] if time else "-"
        after = f"+{seconds[name]:.3f} s" if seconds[name] is not None else ""
        yield f"  {name:<9}  {when:<23}  {after:>11}  {paint(_MEANINGS[name], 'dim')}".rstrip()


def _ladder(verdict: Verdict, paint: Paint) -> Iterator[str]:
    yield ""
    yield paint("The way of a message, and what was found:", "strong")
    for rung in verdict.all:
        state = paint(f"{_MARKS[rung.state]:<7}", _LOOKS[rung.state])
        yield f"  {state}  {rung.name:<18}  {printable(rung.what)}".rstrip()


def _mending(rung: Rung, paint: Paint) -> Iterator[str]:
    yield ""
    yield f"{paint('Broken', 'bad')}: {rung.name}. {printable(rung.why)}"
    if rung.evidence.get("stack_trace"):
        yield ""
        yield from _indented(str(rung.evidence["stack_trace"]))
    if rung.fix:
        yield ""
        yield paint("What mends it:", "strong")
        yield from (f"  {printable(command)}" for command in rung.fix)


def _elsewhere(verdict: Verdict, paint: Paint) -> Iterator[str]:
    if verdict.commands:
        yield ""
        yield paint("The same with gcloud:", "strong")
        yield from (f"  {printable(command)}" for command in verdict.commands)
    if verdict.link:
        yield ""
        yield paint("In the browser:", "strong")
        yield f"  {verdict.link}"


def _indented(text: str) -> Iterator[str]:
    yield from (f"  {printable(line)}" for line in text.splitlines())
