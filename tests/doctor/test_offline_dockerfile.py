"""Each mistake in a Dockerfile is planted in a good one, and found where it is."""

from pathlib import Path
from typing import Any

import pytest

from tests.doctor.checkout import (
    DOCKERFILE,
    IGNORE,
    in_dockerfile,
    line_of,
    names,
    planted,
    write,
)
from tests.support.server import ROOT
from worker.doctor.dockerfile import contents, process
from worker.doctor.dockerfile.ignore import Ignored
from worker.doctor.dockerfile.reading import read_dockerfile

BASE = "python:3.13-slim@sha256:" + "0123456789abcdef" * 4
CMD = 'CMD ["python", "-m", "worker", "serve"]'
ROOT_CHECK = "image-runs-as-root"
SHELL = "image-shell-is-pid-1"

PLANTED = [
    ("image-base-not-pinned", BASE, "python:3.13-slim", "FROM"),
    ("image-base-not-pinned", BASE, "python:3.13-slim@sha256:abc", "FROM"),
    ("image-base-latest", BASE, "python:latest", "FROM"),
    ("image-base-latest", BASE, "registry:5000/python", "FROM"),
    (ROOT_CHECK, "USER 10001:10001\n", "", ""),
    (ROOT_CHECK, "USER 10001:10001", "USER root", "USER"),
    (ROOT_CHECK, "USER 10001:10001", "USER 0:0", "USER"),
    (ROOT_CHECK, "USER 10001:10001", "USER worker", "USER"),
    (SHELL, CMD, "CMD python -m worker serve", "CMD"),
    (SHELL, CMD, 'CMD ["sh", "-c", "python -m worker serve"]', "CMD"),
    (SHELL, CMD, 'CMD ["/bin/bash", "-ec", "exec true; python -m worker serve"]', "CMD"),
    (SHELL, CMD, 'ENTRYPOINT ["/start.sh"]\nENTRYPOINT python -m worker', "ENTRYPOINT python"),
    ("image-variable-literal", CMD, 'CMD ["gunicorn", "-b", ":$PORT"]', "CMD"),
    ("image-variable-literal", CMD, 'CMD ["gunicorn", "-b", ":${PORT}"]', "CMD"),
    ("image-starts-nothing", CMD, "", ""),
    ("image-not-compiled", "RUN python3 -m compileall -q /usr/local/lib/python3.13\n", "", ""),
    ("image-not-compiled", "/opt/venv/lib /app", "/app", ""),
    ("image-not-compiled", "/opt/venv/lib /app", "/opt/venv/lib", ""),
    ("image-has-pip", "venv --without-pip", "venv", "RUN python3 -m venv"),
    ("image-has-pip", "USER", "RUN pip install flask\nUSER", "RUN pip"),
    ("image-holds-secret", "ENV PATH", "ENV API_KEY=s3cr3t-value PATH", "ENV"),
    ("image-holds-secret", "ENV PATH", "ENV DB_PASSWORD s3cr3t-value\nENV PATH", "ENV DB"),
    ("image-holds-secret", "FROM", "ARG TOKEN=s3cr3t-value\nFROM", "ARG TOKEN"),
    ("image-copy-missing", "COPY handlers", "COPY handelrs", "COPY handelrs"),
    ("image-copy-missing", "COPY requirements.txt", "COPY *.lock requirements.txt", "COPY *"),
]  # fmt: skip


@pytest.mark.parametrize(("check", "old", "new", "where"), PLANTED)
def test_a_planted_mistake_is_found_where_it_is(
    tmp_path: Path, check: str, old: str, new: str, where: str
) -> None:
    text = planted(DOCKERFILE, old, new)
    findings = [one for one in in_dockerfile(text, write(tmp_path)) if one.check == check]
    assert findings
    wanted = f"Dockerfile:{line_of(text, where)}" if where else "Dockerfile"
    assert wanted in [one.where for one in findings]
    assert "s3cr3t-value" not in str(findings)


def test_a_file_that_is_named_by_a_default_is_looked_for(tmp_path: Path) -> None:
    text = planted(DOCKERFILE, "COPY requirements.txt", "COPY ${LIST}")
    for name, checks in (("requirements.txt", []), ("other.txt", ["image-copy-missing"])):
        found = in_dockerfile(f"ARG LIST={name}\n{text}", write(tmp_path))
        assert [one.check for one in found] == checks


def test_every_check_of_a_dockerfile_has_a_planted_mistake() -> None:
    areas: list[Any] = [process, contents]
    assert {check.name for area in areas for check in area.CHECKS} == {one[0] for one in PLANTED}


def test_in_a_good_one_nothing_is_found(tmp_path: Path) -> None:
    assert in_dockerfile(DOCKERFILE, write(tmp_path)) == []


def test_ours_is_a_good_one() -> None:
    ignore = (ROOT / ".dockerignore").read_text()
    assert in_dockerfile((ROOT / "Dockerfile").read_text(), ROOT, ignore) == []


def test_what_dockerignore_leaves_out_cannot_be_copied(tmp_path: Path) -> None:
    ignore = IGNORE.replace("!handlers\n", "")
    (finding,) = in_dockerfile(DOCKERFILE, write(tmp_path), ignore)
    assert finding.check == "image-copy-missing"
    assert finding.where == f"Dockerfile:{line_of(DOCKERFILE, 'COPY handlers')}"


@pytest.mark.parametrize(
    "command",
    [
        "CMD exec python -m worker serve",
        'CMD ["sh", "-c", "cd /app && exec python -m worker serve"]',
        'ENTRYPOINT ["python", "-m"]\nCMD ["worker", "serve"]',
    ],
)
def test_a_program_that_gets_sigterm_is_no_finding(tmp_path: Path, command: str) -> None:
    assert in_dockerfile(planted(DOCKERFILE, CMD, command), write(tmp_path)) == []


def test_the_stage_below_counts(tmp_path: Path) -> None:
    text = DOCKERFILE.replace("FROM ${PYTHON_IMAGE}\n", "FROM ${PYTHON_IMAGE} AS base\n")
    assert in_dockerfile(f"{text}FROM base\nLABEL a=b\n", write(tmp_path)) == []


def test_a_stage_of_another_base_does_not_count(tmp_path: Path) -> None:
    text = f"{DOCKERFILE}FROM {BASE}\n"
    assert {ROOT_CHECK, "image-starts-nothing"} <= set(names(in_dockerfile(text, write(tmp_path))))


@pytest.mark.parametrize(
    ("patterns", "left_out", "kept"),
    [
        (
            "*\n!worker\nworker/local",
            ["a", "worker/local", "worker/local/x"],
            ["worker", "worker/x"],
        ),
        ("**/*.pyc", ["a.pyc", "a/b/c.pyc"], ["a.py"]),
        ("# a comment\n\n*.md\n!README.md", ["a.md"], ["README.md", "docs/a.md"]),
        ("/a/", ["a", "a/b"], ["ba"]),
        ("a?", ["ab"], ["a", "abc"]),
        ("scripts/*\n!scripts/one", ["scripts/two"], ["scripts/one", "scripts"]),
        ("", [], ["a"]),
    ],
)
def test_dockerignore_is_read_as_docker_does(
    patterns: str, left_out: list[str], kept: list[str]
) -> None:
    ignored = Ignored(patterns)
    assert [path for path in [*left_out, *kept] if ignored(path)] == left_out


def test_a_folder_of_which_a_part_is_kept_can_be_copied() -> None:
    assert Ignored("*").leaves_all_out("scripts")
    assert not Ignored("*\n!scripts/one").leaves_all_out("scripts")


def test_instructions_span_lines_and_here_documents() -> None:
    text = (
        "# escape=`\nFROM a as b\n# a comment\nRUN one `\n# in between\n  two\n"
        "RUN <<EOF\nUSER root\nEOF\nuser 1\n"
    )
    read = [(one.name, one.line, one.value) for one in read_dockerfile(text).instructions]
    assert read == [
        ("FROM", 2, "a as b"),
        ("RUN", 4, "one    two"),
        ("RUN", 7, "<<EOF\nUSER root"),
        ("USER", 10, "1"),
    ]


@pytest.mark.parametrize(
    ("source", "what"),
    [("handelrs", ["handelrs is not there"]), (".", []), ("/", []), ("handlers/*.py", [])],
)
def test_copy_takes_what_is_there(tmp_path: Path, source: str, what: list[str]) -> None:
    text = planted(DOCKERFILE, "COPY handlers", f"COPY {source}")
    assert [one.what for one in in_dockerfile(text, write(tmp_path), ignore="")] == what
