"""Every command that doctor tells somebody to run, judged by gcloud and by our own command line."""

import shlex

import click
import pytest

from tests.doctor.healthy import DEPLOYMENT, answers
from tests.doctor.planted import PLANTED
from tests.support.gcloud_commands import Command, in_texts, lint, out_of_range
from worker.cli import main
from worker.doctor.live import CHECKS, judge
from worker.doctor.live.snapshot import Live


def fixes() -> list[str]:
    """Those that are made for what was planted."""
    made = []
    for planted in PLANTED:
        found = answers()
        planted.plant(found)
        made += [one.fix for one in judge(Live(**found), DEPLOYMENT)]
    return list(dict.fromkeys(made))


def shape(command: Command) -> tuple[str, ...]:
    """The command's group and the names of its flags."""
    flags = (word.partition("=")[0] for word in command.words if word.startswith("--"))
    return (*command.words[:4], *sorted(flags))


@pytest.mark.parametrize("fix", fixes())
def test_every_fix_is_commands_of_gcloud_or_ours(fix: str) -> None:
    for command in fix.split(" && "):
        words = shlex.split(command)
        assert words[0] == "gcloud" or words[:3] == ["python", "-m", "worker"]


@pytest.mark.parametrize(
    "words",
    [
        shlex.split(one)[3:]
        for fix in fixes()
        for one in fix.split(" && ")
        if one.startswith("python")
    ],
)
def test_our_own_commands_are_there(words: list[str]) -> None:
    command: click.Command | None = main
    with click.Context(main) as context:
        for word in words:
            if not isinstance(command, click.Group):
                break
            command = command.get_command(context, word)
    assert command is not None
    flags = {flag for parameter in command.params for flag in parameter.opts}
    assert {word.partition("=")[0] for word in words if word.startswith("--")} <= flags


@pytest.mark.emulator  # it needs gcloud
def test_gcloud_knows_every_command_and_flag() -> None:
    found = in_texts([*fixes(), *(one.fix for one in CHECKS if one.fix.startswith("gcloud"))])
    shapes = {shape(one): one for one in found}  # gcloud takes a tenth of a second for each
    assert len(found) > len(shapes) > 20
    assert lint(list(shapes.values())) == []
    assert out_of_range(found) == []
