"""What the page says of the machine and of the versions."""

import re
import sys

import pytest

from tests.benchmarks.contestants import CONTESTANTS, Contestant
from tests.benchmarks.machine import commit, machine, versions


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_the_machine_is_its_kind_and_no_name() -> None:
    assert re.fullmatch(r".+, \d+ cores, Linux [\d.]+", machine())


def test_a_commit_is_an_id_and_whether_it_was_changed() -> None:
    assert re.fullmatch(r"unknown|[0-9a-f]{10}(, with changes)?", commit())


@pytest.mark.parametrize("who", CONTESTANTS, ids=lambda one: one.name)
def test_versions_are_those_of_the_lock(who: Contestant) -> None:
    found = versions(who).split(", ")
    assert all(re.fullmatch(r"[a-z-]+ \d[\w.]+", one) for one in found)
    assert {one.split()[0] for one in found} <= set(who.libraries)
    assert who.lock is None or len(found) == len(who.libraries)
