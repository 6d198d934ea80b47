"""`python -m worker serve` with a `cat` behind its stdout: a reader that can be stopped and killed.

The pid of the reader is in the file `reader`.
"""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

PIPE_BYTES = 4096  # what fits between the two: a few entries


def main() -> None:
    """Become the worker."""
    read_end, write_end = os.pipe()
    fcntl.fcntl(write_end, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    reader = subprocess.Popen(["cat"], stdin=read_end)
    Path("reader").write_text(str(reader.pid))
    os.dup2(write_end, 1)
    os.close(read_end)
    os.close(write_end)
    os.execv(sys.executable, [sys.executable, "-m", "worker", "serve"])  # noqa: S606 - no shell


if __name__ == "__main__":
    main()
