"""Two processes that claim the same keys at the same time."""

import json
import subprocess
import sys
from collections.abc import Sequence

from tests.support.server import ROOT, WAIT_SECONDS

_SCRIPT = """
import json, sys
from worker.outcome import Busy
{store}
claims.acquire("warm" + sys.argv[1])  # connected now
print(flush=True)
won = []
for key in json.loads(sys.stdin.readline()):
    try:
        claims.acquire(key)
    except Busy:
        continue
    won.append(key)
print(json.dumps(won))
"""


def race(store: str, keys: Sequence[str]) -> list[list[str]]:
    """The keys that each process won; `store` is Python that makes `claims`."""
    rivals = [_rival(store, f"{keys[0]}-{number}") for number in range(2)]
    for rival in rivals:
        assert rival.stdout is not None
        rival.stdout.readline()
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write(json.dumps(keys) + "\n")
        rival.stdin.flush()
    return [json.loads(rival.communicate(timeout=WAIT_SECONDS)[0]) for rival in rivals]


def _rival(store: str, name: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", _SCRIPT.format(store=store), name],
        env={"PYTHONPATH": str(ROOT)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
