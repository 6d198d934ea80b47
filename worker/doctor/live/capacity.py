"""Does an instance take as many pushes as its threads and its memory can handle?"""

from collections.abc import Iterator

from worker.config import Settings
from worker.deployment import Deployment
from worker.doctor.catalogue import Check, found
from worker.doctor.finding import Finding, Severity
from worker.doctor.live.commands import change_service
from worker.doctor.live.serving import serving_of, settings_of
from worker.doctor.live.snapshot import Live, known
from worker.doctor.memory import needed_mib
from worker.doctor.settings.capacity import CONCURRENCY_HIGH, CONCURRENCY_LOW, MEMORY_SMALL

_OVERRUN = "deadline_exceeded"  # the class of a push that was not answered in time

THROTTLED = Check(
    "cpu-throttled", Severity.NOTE,
    "handlers that overrun their deadline have CPU",
    "A handler that goes on after its push was answered stands still, and holds its claim.",
    "gcloud run services update SERVICE --no-cpu-throttling",
)  # fmt: skip


def _concurrency_high(live: Live, deployment: Deployment) -> Iterator[Finding]:
    concurrency, threads = serving_of(live).concurrency, _threads(settings_of(live, deployment))
    if concurrency > threads:
        yield _unequal(CONCURRENCY_HIGH, deployment, concurrency, threads)


def _concurrency_low(live: Live, deployment: Deployment) -> Iterator[Finding]:
    concurrency, threads = serving_of(live).concurrency, _threads(settings_of(live, deployment))
    if concurrency < threads:
        yield _unequal(CONCURRENCY_LOW, deployment, concurrency, threads)


def _unequal(check: Check, deployment: Deployment, concurrency: int, threads: int) -> Finding:
    what = f"its concurrency is {concurrency}, HANDLER_THREADS x WORKERS is {threads}"
    fix = change_service(deployment, f"--concurrency={threads}")
    return found(check, deployment.service_name, what, fix)


def _memory_small(live: Live, deployment: Deployment) -> Iterator[Finding]:
    serving = serving_of(live)
    settings = settings_of(live, deployment)
    need = needed_mib(settings.workers, _threads(settings), serving.concurrency)
    if serving.memory_mib < need:
        what = f"it has {serving.memory_mib:.0f} MiB, and may need {need}"
        fix = change_service(deployment, f"--memory={need}Mi")
        yield found(MEMORY_SMALL, deployment.service_name, what, fix)


def _throttled(live: Live, deployment: Deployment) -> Iterator[Finding]:
    overran = known(live.pushes).get(_OVERRUN, 0)
    if serving_of(live).throttled and overran:
        what = f"{overran} pushes overran lately, and there is CPU during requests only"
        fix = change_service(deployment, "--no-cpu-throttling")
        yield found(THROTTLED, deployment.service_name, what, fix)


def _threads(settings: Settings) -> int:
    return settings.handler_threads * settings.workers


LOOKS = {
    CONCURRENCY_HIGH: _concurrency_high,
    CONCURRENCY_LOW: _concurrency_low,
    MEMORY_SMALL: _memory_small,
    THROTTLED: _throttled,
}
