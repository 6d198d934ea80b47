"""The comparison of every server: one push, larger bodies, a blocking handler, a cold start."""

import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from itertools import product

from tests.benchmarks.bench import Bench, Case
from tests.benchmarks.contestants import CONTESTANTS, FLOORS, Kind
from tests.benchmarks.cores import running_on
from tests.benchmarks.messages import BLOCKING_FEATURE, SIZES, sized_body, usual_body
from tests.benchmarks.plan import Limit
from tests.benchmarks.process import cpu_seconds, rss_megabytes
from tests.benchmarks.results import Experiment, Sample
from tests.benchmarks.servers import Server
from tests.support.server import ROOT

BLOCKING_CONNECTIONS = (1, 8, 80)
USUAL = "8 connections"
ALONE = "alone"  # who: base64 and JSON in a plain process
STALL_SECONDS = 600.0  # a load that is limited by its number


def running(bench: Bench, wanted: set[Experiment]) -> None:
    """What is measured on servers that all run: started once, loaded in turn, idle meanwhile."""
    with ExitStack() as stack:
        servers = []
        for contestant in CONTESTANTS:
            bench.say(f"starting {contestant.name}")
            servers.append(stack.enter_context(bench.server(contestant)))
        _first(bench, servers)
        if Experiment.PUSH in wanted:
            _push(bench, servers)
        if Experiment.BODIES in wanted:
            _bodies(bench, servers)
        if Experiment.BLOCKING in wanted:
            _blocking(bench, [one for one in servers if one.contestant not in FLOORS])


def _first(bench: Bench, servers: list[Server]) -> None:
    """The first pushes of each server, the same number for all, and its memory after them."""
    limit = Limit(bench.plan.segment, STALL_SECONDS)
    case = Case(Experiment.FIRST, USUAL, usual_body(), limit)
    for server in servers:
        bench.say(f"the first {limit.requests} pushes: {server.contestant.name}")
        sample = bench.load(server, case)
        sizes = rss_megabytes(server.pid)
        bench.keep(sample, rss_mb=max(sizes), rss_tree_mb=sum(sizes))


def _push(bench: Bench, servers: list[Server]) -> None:
    case = Case(Experiment.PUSH, USUAL, usual_body(), bench.plan.load)
    for number in range(bench.plan.rounds):
        bench.say(f"one push, round {number + 1} of {bench.plan.rounds}")
        for server in servers:
            bench.keep(bench.measure(server, case))


def _bodies(bench: Bench, servers: list[Server]) -> None:
    for number in range(bench.plan.side_rounds):
        bench.say(f"larger bodies, round {number + 1} of {bench.plan.side_rounds}")
        for name, size in SIZES.items():
            case = Case(Experiment.BODIES, name, sized_body(size), bench.plan.short)
            bench.keep(_alone(bench, case))
            for server in servers:
                bench.keep(bench.measure(server, case))


def _alone(bench: Bench, case: Case) -> Sample:
    """Base64 and JSON validation of the same body in a process that does nothing else."""
    with running_on(bench.cores.server):
        done = subprocess.run(
            [sys.executable, "-m", "tests.benchmarks.alone", str(bench.plan.alone_seconds)],
            cwd=ROOT, input=case.body.encode(), stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
    figures = {"cpu_us": float(done.stdout)}
    return Sample(experiment=case.experiment, case=case.name, who=ALONE, figures=figures)


def _blocking(bench: Bench, servers: list[Server]) -> None:
    body, rounds = usual_body(BLOCKING_FEATURE), bench.plan.side_rounds
    most = max(BLOCKING_CONNECTIONS)
    for number, connections in product(range(rounds), BLOCKING_CONNECTIONS):
        bench.say(f"a handler that blocks, {connections} times, round {number + 1} of {rounds}")
        limit = bench.plan.load if connections == most else bench.plan.short
        case = Case(Experiment.BLOCKING, str(connections), body, limit, connections)
        for server in servers:
            ours = server.contestant.kind is Kind.OURS
            bench.keep(bench.measure(server, replace(case, may_overload=ours)))


def cold_starts(bench: Bench) -> None:
    """From the spawn to the first 2xx answer; the first start of each is not counted."""
    for number in range(bench.plan.rounds + 1):
        bench.say(f"cold starts, round {number or 'zero'} of {bench.plan.rounds}")
        for contestant in CONTESTANTS:
            with bench.starting(contestant) as server:
                seconds = server.wait_for_answer(bench.probe(contestant))
                cpu = cpu_seconds(server.pid)
            if number:
                took = {"wall_ms": seconds * 1e3, "cpu_ms": cpu * 1e3}
                who = contestant.name
                bench.keep(Sample(experiment=Experiment.COLD, case="", who=who, figures=took))
