"""The commands in a shell script, found without running it: enough of the grammar to see gcloud's.

Never raises: what is no shell script gives words that nobody looks for.
"""

import re

from worker.doctor.shellscan import UNKNOWN, Command, Scanner

__all__ = ["UNKNOWN", "Command", "commands", "is_shell", "script_of"]

_SHELLS = ("bash", "sh", "dash", "ash")
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")


def commands(script: str) -> list[Command]:
    """Every simple command, those of `$(...)` too, in the order in which they end."""
    scanner = Scanner(_without_heredocs(script))
    scanner.run(until="")
    return scanner.found


def is_shell(program: str) -> bool:
    """Whether a program is a shell, by its name."""
    return program.rpartition("/")[2] in _SHELLS


def script_of(words: list[str]) -> int | None:
    """Where the script is among the words of `bash -c SCRIPT`: its index, None without one."""
    for index, word in enumerate(words[:-1]):
        if word.startswith("-") and not word.startswith("--") and word.endswith("c"):
            return index + 1
    return None


def _without_heredocs(script: str) -> str:
    """The same lines, those inside of here-documents empty."""
    ends: list[str] = []
    lines = []
    for line in script.split("\n"):
        if ends:
            lines.append("")
            if line.strip() == ends[0]:
                ends.pop(0)
            continue
        ends += [match[2] for match in _HEREDOC.finditer(line.replace("<<<", ""))]
        lines.append(_HEREDOC.sub("", line) if ends else line)
    return "\n".join(lines)
