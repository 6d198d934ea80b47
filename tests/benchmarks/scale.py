"""What could make a push cost more: age, claims held, features, tokens, a second process."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from tests.benchmarks.bench import Bench, Case
from tests.benchmarks.contestants import OURS, OURS_NONE, Contestant
from tests.benchmarks.experiments import STALL_SECONDS
from tests.benchmarks.generator import Generator
from tests.benchmarks.messages import Push, push, usual_body
from tests.benchmarks.plan import Limit
from tests.benchmarks.process import rss_megabytes
from tests.benchmarks.results import Experiment
from tests.benchmarks.servers import Server

SEGMENTS = 21  # of 10,000 pushes each: claims in memory are full after ten

# Cases: of what the worker has little, and much.
FEATURES = ("1 feature registered", "500")
CLAIMS = ("hardly any claims held", "100,000")
TOKENS = ("one token seen", "1,000 in turn")
WORKERS = ("`WORKERS=1`", "`WORKERS=2`")


def life(bench: Bench) -> None:
    """One long life in segments: cost and memory; then what the claims it holds cost."""
    segment = bench.plan.segment
    first = segment // 10  # start-up costs are not those of a young process
    with bench.server(OURS) as old:
        bench.keep(bench.load(old, _segment("0", first)))
        for number in range(1, SEGMENTS + 1):
            bench.say(f"a long life: {number * segment:,} pushes")
            case = _segment(str(number), segment - (first if number == 1 else 0))
            bench.keep(bench.load(old, case), rss_mb=max(rss_megabytes(old.pid)))
        for number in range(bench.plan.side_rounds):
            bench.say(f"claims held, round {number + 1} of {bench.plan.side_rounds}")
            with bench.server(OURS) as young:
                _compare(bench, CLAIMS, (young, old))


def _segment(name: str, pushes: int) -> Case:
    return Case(Experiment.LIFE, name, usual_body(), Limit(pushes, STALL_SECONDS))


def scale(bench: Bench) -> None:
    """Two servers at a time, loaded in turn."""
    features = "tests.benchmarks.handlers"
    few = OURS_NONE.but(HANDLERS=f"{features}.benchmark")
    many = OURS_NONE.but(HANDLERS=f"{features}_500")
    _in_turn(bench, FEATURES, (few, many))
    _in_turn(bench, TOKENS, (OURS, OURS), tokens=bench.tokens)
    _on_all_cores(bench)


def _in_turn(
    bench: Bench,
    names: Sequence[str],
    contestants: Sequence[Contestant],
    tokens: tuple[str, ...] = (),
) -> None:
    """Measure the contestants in turn; pushes of the second come with each of `tokens`."""
    with ExitStack() as stack:
        servers = [stack.enter_context(bench.server(one)) for one in contestants]
        sent = push(usual_body(), *tokens) if tokens else None
        if sent:
            seen = Limit(len(tokens), STALL_SECONDS)
            bench.load(servers[1], Case(Experiment.SCALE, names[1], sent.body, seen), sent)
        for number in range(bench.plan.side_rounds):
            bench.say(f"{names[0]} or {names[1]}, round {number + 1} of {bench.plan.side_rounds}")
            _compare(bench, names, servers, (None, sent))


def _compare(
    bench: Bench,
    names: Sequence[str],
    servers: Sequence[Server],
    sent: Sequence[Push | None] = (None, None),
) -> None:
    for name, server, special in zip(names, servers, sent, strict=True):
        case = Case(Experiment.SCALE, name, usual_body(), bench.plan.load)
        bench.keep(bench.measure(server, case, special))


def _on_all_cores(bench: Bench) -> None:
    """Servers and load generator share the cores, as the kernel likes."""
    with Generator(bench.everywhere) as generator:
        shared = replace(bench, cores=bench.everywhere, generator=generator)
        _in_turn(shared, WORKERS, (OURS_NONE.but(WORKERS="1"), OURS_NONE.but(WORKERS="2")))
