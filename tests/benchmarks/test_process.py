"""CPU time and memory from /proc: the parser, and real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.benchmarks.process import NoStat, Stat, cpu_seconds, parse_stat, rss_megabytes, tree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")

NUMBERS = st.integers(0, 10**12)
# What a process may call itself: anything but NUL, a newline and parentheses included.
NAMES = st.binary(max_size=15).filter(lambda name: b"\0" not in name)


@given(NUMBERS, NAMES, NUMBERS, st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS))
@example(7, b"a) S 1 (b) R", 1, (1, 2, 3, 4))
def test_a_stat_is_read_whatever_the_process_calls_itself(
    pid: int, name: bytes, parent: int, times: tuple[int, int, int, int]
) -> None:
    before = b"%d (%s) S %d 1 1 0 -1 4194560 100 0 0 0" % (pid, name, parent)
    text = before + b"".join(b" %d" % time for time in times) + b" 20 0 1 0 12345 0 0\n"
    assert parse_stat(text) == Stat(pid, parent, sum(times))


@given(st.binary(max_size=200))
def test_anything_else_is_no_stat(text: bytes) -> None:
    try:
        parse_stat(text)
    except NoStat:
        return
    assert b" (" in text


def test_the_own_stat_is_that_of_this_process() -> None:
    stat = parse_stat(Path("/proc/self/stat").read_bytes())
    assert (stat.pid, stat.parent) == (os.getpid(), os.getppid())
    assert stat.pid in [one.pid for one in tree(os.getppid())]


def test_a_tree_goes_all_the_way_down() -> None:
    with subprocess.Popen(["sh", "-c", "cat; true"], stdin=-1, stdout=-1) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        shell.stdin.write(b"there\n")
        shell.stdin.flush()
        assert shell.stdout.readline() == b"there\n"
        parents = {one.pid: one.parent for one in tree(os.getpid())}
        (cat,) = [pid for pid, parent in parents.items() if parent == shell.pid]
        assert parents[shell.pid] == os.getpid()
        assert cat in [one.pid for one in tree(shell.pid)]
        shell.stdin.close()


def test_the_cpu_time_of_a_child_that_has_ended_is_counted() -> None:
    before = cpu_seconds(os.getpid())
    spin = "import time\nwhile time.process_time() < 0.2: pass"
    subprocess.run([sys.executable, "-c", spin], check=True)
    assert cpu_seconds(os.getpid()) - before >= 0.15  # each counter is cut to a hundredth


def test_memory_is_that_of_each_process() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        sizes = rss_megabytes(os.getpid())
        assert len(sizes) >= 2
        assert sizes[0] > 5
        assert sizes[0] > rss_megabytes(child.pid)[0] > 0
        child.terminate()


def test_a_process_that_has_ended_has_nothing() -> None:
    with subprocess.Popen(["true"]) as ended:
        ended.wait()
    assert tree(ended.pid) == []
    assert cpu_seconds(ended.pid) == 0
    assert rss_megabytes(ended.pid) == []
