"""Do the deadlines, the threads and the memory of the deployed worker fit together?"""

from collections.abc import Iterator

from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.memory import needed_mib
from worker.doctor.settings.deployed import Deployed

ACK_SHORT = Check(
    "ack-deadline-short",
    Severity.ERROR,
    "the subscription waits as long as the worker thinks",
    "Pub/Sub gives up first and delivers again while the handler runs; "
    "the answer of the first delivery is thrown away.",
    "make ACK_DEADLINE_SECONDS and ack_deadline_seconds in deploy.toml the same",
)
ACK_LONG = Check(
    "ack-deadline-long",
    Severity.NOTE,
    "the worker uses the subscription's whole ack deadline",
    "Pushes are answered 504 although there is time left.",
    "make ACK_DEADLINE_SECONDS and ack_deadline_seconds in deploy.toml the same",
)
TIMEOUT_SHORT = Check(
    "timeout-short",
    Severity.ERROR,
    "Cloud Run waits as long as Pub/Sub",
    "Cloud Run cuts the push off before the ack deadline: the handler runs on, "
    "its answer reaches nobody, and the message comes again.",
    "raise --timeout above the ack deadline; 610 is above every one",
)
CONCURRENCY_HIGH = Check(
    "concurrency-high",
    Severity.WARNING,
    "an instance gets no more pushes than it has threads",
    "The others wait inside for a thread, two seconds at most, and are then nacked (429), "
    "where another instance could have taken them.",
    "set --concurrency to HANDLER_THREADS x WORKERS",
)
CONCURRENCY_LOW = Check(
    "concurrency-low",
    Severity.NOTE,
    "an instance has no more threads than it gets pushes",
    "Some threads never have anything to do; more instances are paid for.",
    "set --concurrency to HANDLER_THREADS x WORKERS",
)
MEMORY_SMALL = Check(
    "memory-small",
    Severity.WARNING,
    "an instance has room for as many of the largest messages as it takes at the same time",
    "Cloud Run kills the instance with all pushes that it handles.",
    "raise --memory, or lower HANDLER_THREADS and --concurrency",
)
CPU_LOW = Check(
    "cpu-below-one",
    Severity.ERROR,
    "an instance with less than one CPU takes one push at a time",
    "Cloud Run refuses less than one CPU with a concurrency above 1.",
    "set --cpu=1",
)
CHECKS = (
    ACK_SHORT, ACK_LONG, TIMEOUT_SHORT, CONCURRENCY_HIGH, CONCURRENCY_LOW, MEMORY_SMALL, CPU_LOW,
)  # fmt: skip


def examine(deployed: Deployed, deployment: Deployment) -> Iterator[Finding]:
    """What does not fit together."""
    yield from _deadlines(deployed, deployment)
    yield from _threads(deployed)
    cpu = deployed.flag("cpu", "1") or "1"
    if _below_one(cpu) and (deployed.concurrency or 1) > 1:
        yield found(CPU_LOW, deployed.where, f"--cpu={cpu} with a concurrency above 1")


def _deadlines(deployed: Deployed, deployment: Deployment) -> Iterator[Finding]:
    where, waits = deployed.where, deployment.ack_deadline_seconds
    thinks = deployed.setting("ACK_DEADLINE_SECONDS")
    if thinks is not None and thinks != waits:
        check = ACK_SHORT if thinks > waits else ACK_LONG
        what = (
            f"the worker counts on {thinks} s (ACK_DEADLINE_SECONDS), deploy.toml gives {waits} s"
        )
        yield found(check, where, what)
    timeout = deployed.timeout_seconds
    if timeout is not None and timeout < max(waits, thinks or 0):
        what = f"Cloud Run's timeout is {timeout} s, the ack deadline {max(waits, thinks or 0)} s"
        yield found(TIMEOUT_SHORT, where, what)


def _threads(deployed: Deployed) -> Iterator[Finding]:
    where = deployed.where
    places, concurrency = deployed.places, deployed.concurrency
    if places is None or concurrency is None:
        return
    if concurrency != places:
        check = CONCURRENCY_HIGH if concurrency > places else CONCURRENCY_LOW
        what = f"concurrency is {concurrency}, HANDLER_THREADS x WORKERS is {places}"
        yield found(check, where, what, f"set --concurrency={places}")
    memory = deployed.memory_mib
    needed = needed_mib(deployed.setting("WORKERS") or 1, places, concurrency)
    if memory is not None and memory < needed:
        what = f"memory is {memory} MiB; messages of 10 MB in every thread take {needed} MiB"
        yield found(MEMORY_SMALL, where, what, f"set --memory={needed}Mi or more, or fewer threads")


def _below_one(cpu: str) -> bool:
    number = cpu.removesuffix("m") if cpu.endswith("m") else cpu
    try:
        return float(number) < (1000 if cpu.endswith("m") else 1)
    except ValueError:
        return False
