"""CPU time and memory of a process and everything below it, read from /proc. Linux only."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
_RSS = re.compile(rb"^Rss:\s+(\d+) kB$", re.MULTILINE)
_PARENT, _FIRST_TIME, _LAST_TIME = 1, 11, 14  # fields behind the name, counted from 0


class NoStat(Exception):
    """The text is not a /proc/PID/stat."""


class Stat(NamedTuple):
    """A process; `ticks` are its own and those of the children that it has waited for."""

    pid: int
    parent: int
    ticks: int


def parse_stat(text: bytes) -> Stat:
    """Read /proc/PID/stat: `PID (NAME) STATE PARENT ...`; the name may hold anything.

    Raises NoStat.
    """
    before, _, name_and_rest = text.partition(b" (")
    fields = name_and_rest.rpartition(b") ")[2].split()
    times = fields[_FIRST_TIME : _LAST_TIME + 1]  # utime, stime, cutime, cstime
    numbers = [before, *fields[_PARENT : _PARENT + 1], *times]
    if len(fields) <= _LAST_TIME or not all(_is_number(number) for number in numbers):
        raise NoStat("not the text of a /proc/PID/stat")
    return Stat(int(before), int(fields[_PARENT]), sum(map(int, times)))


def _is_number(text: bytes) -> bool:
    return re.fullmatch(rb"\d{1,20}", text) is not None


def _all() -> Iterator[Stat]:
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            yield parse_stat((folder / "stat").read_bytes())
        except OSError:
            continue  # it has ended


def tree(root: int) -> list[Stat]:
    """The process of that id and all its descendants; none if it has ended."""
    everything = list(_all())
    found = [stat for stat in everything if stat.pid == root]
    for process in found:
        found += [stat for stat in everything if stat.parent == process.pid]
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the process and all below it, to a hundredth of a second."""
    return sum(stat.ticks for stat in tree(root)) * _TICK_SECONDS


def rss_megabytes(root: int) -> list[float]:
    """Resident memory (MB of 10^6 bytes) of the process and of each below it."""
    sizes = []
    for stat in tree(root):
        text = Path(f"/proc/{stat.pid}/smaps_rollup").read_bytes()
        found = _RSS.search(text)
        sizes.append(int(found[1]) * 1024 / 1e6 if found else 0.0)
    return sizes
