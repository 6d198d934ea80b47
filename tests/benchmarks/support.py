"""For tests: a run that never happened, with every figure made up, and the check of a page."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.benchmarks.contestants import CONTESTANTS, FLOORS
from tests.benchmarks.experiments import ALONE, BLOCKING_CONNECTIONS, USUAL
from tests.benchmarks.messages import SIZES
from tests.benchmarks.results import Experiment, Run, Sample, Setting
from tests.benchmarks.scale import CLAIMS, FEATURES, SEGMENTS, TOKENS, WORKERS

CASES = {
    Experiment.FIRST: [USUAL],
    Experiment.PUSH: [USUAL],
    Experiment.BODIES: list(SIZES),
    Experiment.BLOCKING: [str(number) for number in BLOCKING_CONNECTIONS],
    Experiment.COLD: [""],
    Experiment.LIFE: [str(number) for number in range(1, SEGMENTS + 1)],
    Experiment.SCALE: [*CLAIMS, *FEATURES, *TOKENS, *WORKERS],
}
FIGURES = {
    "ok": 1000.0, "overloaded": 0.0, "other": 0.0, "seconds": 1.0, "per_second": 1000.0,
    "cpu_us": 100.0, "p50_ms": 1.0, "p99_ms": 2.0, "p999_ms": 3.0,
    "client_us": 20.0, "client_busy": 0.2,
    "rss_mb": 40.0, "rss_tree_mb": 60.0, "wall_ms": 200.0, "cpu_ms": 190.0,
}  # fmt: skip
SETTING = Setting(
    date="2026-11-21", commit="0123456789", machine="A CPU, 2 cores, Linux 6.1",
    python="3.11.7", pinned=True, versions={one.name: "library 1.2.3" for one in CONTESTANTS},
)  # fmt: skip

TABLES = re.compile(r"(?:^\|.*\|\n)+", re.MULTILINE)


def measured(experiment: Experiment, who: str) -> bool:
    """Whether that server takes part in that experiment."""
    if experiment in (Experiment.LIFE, Experiment.SCALE):
        return who.startswith("ours")
    return experiment is not Experiment.BLOCKING or who not in [one.name for one in FLOORS]


def canned(changed: dict[tuple[Experiment, str], dict[str, float]] | None = None) -> Run:
    """Every server has the same figures but for what is changed: (experiment, who) -> figures."""
    special = changed or {}
    samples = [
        Sample(
            experiment=experiment, case=case, who=who,
            figures={**FIGURES, **special.get((experiment, who), {})},
        )
        for experiment, cases in CASES.items()
        for case in cases
        for who in (*(one.name for one in CONTESTANTS), ALONE)
        if measured(experiment, who) and (who != ALONE or experiment is Experiment.BODIES)
    ]  # fmt: skip
    return Run(quick=False, setting=SETTING, samples=tuple(samples))


def check_page(folder: Path) -> str:
    """Every table is one, every plot is there and is XML; returns the page."""
    text = (folder / "performance.md").read_text()
    for found in TABLES.findall(text):
        assert len({line.count("|") for line in found.splitlines()}) == 1, found
    for picture in re.findall(r"!\[.+\]\((.+)\)", text):
        root = ET.fromstring((folder / picture).read_text())  # noqa: S314 - written just now
        assert root.tag.endswith("svg")
    assert "{" not in text
    assert "None" not in text
    return text
