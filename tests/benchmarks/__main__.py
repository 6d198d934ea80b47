"""`python -m tests.benchmarks`: measure every server, write the page, its plots and the figures."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path

from tests.benchmarks import environments, experiments, machine, page, scale
from tests.benchmarks.bench import Bench
from tests.benchmarks.contestants import CONTESTANTS
from tests.benchmarks.cores import Cores
from tests.benchmarks.failure import BenchmarkFailed, NoEnvironment
from tests.benchmarks.generator import Generator
from tests.benchmarks.plan import FULL, QUICK, Plan
from tests.benchmarks.results import Experiment, Run
from tests.support.keyserver import KeyServer, token
from tests.support.server import ROOT

NO_ENVIRONMENT = 3  # exit code: a peer cannot be installed here


def main(words: Sequence[str]) -> int:
    """Run what the words ask for; returns an exit code."""
    asked = _parse(words)
    try:
        if asked.again:
            run = Run.model_validate_json(asked.again.read_bytes())
        else:
            run = measure(_plan(asked), set(asked.only or Experiment))
    except BenchmarkFailed as failed:
        sys.stderr.write(f"error: {failed}\n")
        return NO_ENVIRONMENT if isinstance(failed, NoEnvironment) else 1
    page.write(run, asked.output or ROOT / ("docs" if run.is_whole else ".benchmarks"))
    return 0


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    names = list(Experiment)
    parser.add_argument("--quick", action="store_true", help="show that it works; times are noise")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of every comparison")
    parser.add_argument("--only", action="append", type=Experiment, metavar="|".join(names))
    parser.add_argument("--output", type=Path, metavar="DIR", help="default: docs, or .benchmarks")
    parser.add_argument("--again", type=Path, metavar="JSON", help="write the page of this run")
    return parser.parse_args(words)


def _plan(asked: argparse.Namespace) -> Plan:
    plan = QUICK if asked.quick else FULL
    return (
        plan
        if asked.rounds is None
        else replace(plan, rounds=asked.rounds, side_rounds=asked.rounds)
    )


def measure(plan: Plan, wanted: set[Experiment]) -> Run:
    """Measure. Raises BenchmarkFailed."""
    environments.make(CONTESTANTS)
    everywhere, cores = Cores.shared(), Cores.pinned()
    setting = machine.setting(cores)
    os.sched_setaffinity(0, cores.client)
    tokens = tuple(token("one", sub=f"{number:010d}") for number in range(plan.tokens))
    with (
        tempfile.TemporaryDirectory() as folder,
        KeyServer("one") as keys,
        Generator(cores) as generator,
    ):
        bench = Bench(
            plan, cores, everywhere, Path(folder), generator, f"{keys.url}/certs", tokens, [],
            count(1),
        )  # fmt: skip
        _run(bench, wanted)
    return Run(quick=plan.quick, setting=setting, samples=tuple(bench.samples))


def _run(bench: Bench, wanted: set[Experiment]) -> None:
    if wanted - {Experiment.COLD, Experiment.LIFE, Experiment.SCALE}:
        experiments.running(bench, wanted)
    if Experiment.COLD in wanted:
        experiments.cold_starts(bench)
    if Experiment.LIFE in wanted:
        scale.life(bench)
    if Experiment.SCALE in wanted:
        scale.scale(bench)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
