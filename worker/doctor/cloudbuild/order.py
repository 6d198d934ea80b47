"""Is a revision proved before it takes traffic, and an image pushed before it is deployed?"""

from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise

from worker.doctor.catalogue import Check, found
from worker.doctor.cloudbuild.reading import FILE, Build, Run
from worker.doctor.finding import Finding, Severity
from worker.doctor.folder import place

NOT_PUSHED = Check(
    "image-not-pushed",
    Severity.ERROR,
    "an image is pushed before it is deployed",
    "Cloud Run pulls from the registry; what `images:` names is pushed only after the last step.",
    "add a `docker push` of it before the deploy step",
)
TAKES_TRAFFIC = Check(
    "deploy-takes-traffic",
    Severity.WARNING,
    "a new revision gets no traffic when it is deployed",
    "A revision that cannot handle messages gets them all, before anybody could see it.",
    "add --no-traffic and --tag, prove the revision with `python -m worker smoke`, "
    "then shift the traffic",
)
UNPROVED = Check(
    "traffic-before-smoke",
    Severity.WARNING,
    "the traffic is shifted after a smoke test of the revision",
    "A revision that cannot prove itself takes the traffic.",
    "run `python -m worker smoke` against the tagged revision before `update-traffic`",
)
NO_PROVENANCE = Check(
    "image-without-provenance",
    Severity.NOTE,
    "the image that is deployed is in `images`",
    "Cloud Build writes provenance for those only: nobody can tell what this was built from.",
    "add it under images, as it is tagged",
)
CHECKS = (NOT_PUSHED, TAKES_TRAFFIC, UNPROVED, NO_PROVENANCE)

DEPLOY = ("gcloud", "run", "deploy")
_SHIFT = ("gcloud", "run", "services", "update-traffic")


def examine(build: Build) -> Iterator[Finding]:
    """What comes in the wrong order."""
    runs = list(build.runs())
    yield from _pushed(runs, {build.resolve(one.text) for one in build.root.get_list("images")})
    deploys = [run for run in runs if run.starts(*DEPLOY)]
    if deploys and not any("--no-traffic" in run.command.words for run in deploys):
        where = place(FILE, deploys[0].command.line)
        yield found(TAKES_TRAFFIC, where, "the deployment shifts all traffic at once")
    proofs = [index for index, run in enumerate(runs) if _is_smoke(run)]
    shifts = [index for index, run in enumerate(runs) if run.starts(*_SHIFT)]
    if shifts and not any(proof < shifts[0] for proof in proofs):
        where = place(FILE, runs[shifts[0]].command.line)
        yield found(UNPROVED, where, "no smoke test comes before the traffic is shifted")


def _is_smoke(run: Run) -> bool:
    words = run.command.words
    return ("worker", "smoke") in pairwise(words)


def _pushed(runs: Sequence[Run], images: Collection[str]) -> Iterator[Finding]:
    """An image that the build makes; one from elsewhere is in a registry already."""
    built: set[str] = set()
    pushed: set[str] = set()
    for run in runs:
        words = run.command.words
        if run.starts("docker"):
            names = {one for word in words for one in (word, word.partition("=")[2])}
            target = pushed if run.starts("docker", "push") or "--push" in words else built
            target |= names
        elif run.starts(*DEPLOY):
            image, where = option(words, "--image"), place(FILE, run.command.line)
            if image in built | pushed and image not in images:
                yield found(NO_PROVENANCE, where, "the image that is deployed is not in images")
            if image in built and image not in pushed and _name(image) not in pushed:
                what = "the image that is deployed is built here and not pushed before"
                yield found(NOT_PUSHED, where, what)


def _name(image: str) -> str:
    """Without the tag: `docker push --all-tags NAME`."""
    return image.rpartition(":")[0]


def option(words: Sequence[str], name: str) -> str:
    """The value of the last `--name=value` or `--name value`, "" without one."""
    value = ""
    for index, word in enumerate(words):
        if word == name:
            value = words[index + 1] if index + 1 < len(words) else ""
        elif word.startswith(f"{name}="):
            value = word.partition("=")[2]
    return value
