"""`python -m tests.faults`: repeat all scenarios with new seeds, then write the page."""

import argparse
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.machine import commit, machine
from tests.faults import figures, page
from tests.faults.page import Runs
from tests.support.server import ROOT

SOAK_SCALE = 2  # times the messages and faults of CI, from the second round on

# A fault of ours that is known has a test that is expected to fail, and no figures.
_PYTEST = ("-m", "pytest", "tests/faults", "-q", "-m", "not xfail", "--timeout=600")


def main(words: Sequence[str]) -> int:
    """Run for as long as the words ask for; returns an exit code."""
    asked = _parse(words)
    began, seconds = time.monotonic(), 0.0
    with tempfile.NamedTemporaryFile() as kept:
        while not seconds or time.monotonic() - began < asked.minutes * 60:
            if code := _round(Path(kept.name), scale=SOAK_SCALE if seconds else 1):
                return code
            seconds = seconds or time.monotonic() - began
        rows = figures.read(Path(kept.name))
    date = datetime.now(UTC).strftime("%Y-%m-%d")
    runs = Runs(date=date, commit=commit(), machine=machine(), seconds=seconds, rows=tuple(rows))
    sys.stdout.write(f"written: {page.write(runs, asked.output)}\n")
    return 0


def _parse(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="0: one round; default: 30")
    parser.add_argument("--output", type=Path, default=ROOT / "docs", metavar="DIR")
    return parser.parse_args(words)


def _round(kept: Path, scale: int) -> int:
    """All scenarios once, with a new seed. Returns pytest's exit code; it says what failed."""
    chosen = {
        figures.FIGURES: str(kept),
        figures.SCALE: str(scale),
        figures.SEED: str(secrets.randbelow(10**6)),
    }
    done = subprocess.run(
        [sys.executable, *_PYTEST], cwd=ROOT, env=os.environ | chosen, check=False
    )
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
