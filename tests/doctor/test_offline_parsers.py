"""Whatever is in a file: it is read, or it is said that it cannot be, and nothing else happens."""

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.doctor.checkout import CLOUDBUILD, DOCKERFILE, in_cloudbuild, in_dockerfile
from worker.doctor.code import examine_requirements
from worker.doctor.dockerfile.ignore import Ignored
from worker.doctor.dockerfile.reading import read_dockerfile
from worker.doctor.folder import Folder, Unreadable
from worker.doctor.image.archive import read_image
from worker.doctor.shell import Command, commands
from worker.doctor.yamlnode import read_yaml

HERE = Path(__file__).parent
TEXTS = st.text(max_size=200)
SHELLS = st.lists(
    st.sampled_from(
        ["gcloud ", "x", " ", "\n", "'", '"', "$", "(", ")", "$(", "`", "\\", "#", ";", "a=(",
         "<<E", "E", "${", "}", "${a[@]}", "|", "&", ">", "$((", "))"]
    ),
    max_size=40,
).map("".join)  # fmt: skip
SNIPPETS = st.sampled_from(
    ["FROM", "RUN", "COPY", "CMD", "ENV", "ARG", "USER", "[", '"', "a", "=", " ", "\n", "\\\n", "$",
     "{", "}", "--from=", "<<E", "E", ":", "@sha256:", "#", "`", "*", "../", "\0"]
)  # fmt: skip
DOCKERFILES = st.lists(SNIPPETS, max_size=40).map("".join)
PARTS = st.sampled_from(
    ["steps:", "- ", "name: x", "args: ", "[a, b]", "{a: b}", "\n", "  ", "$A", "${_A}", "&a", "*a",
     "!!int", "id: ", "waitFor: ", "substitutions:", "options:", "null", "1", "|", "? ", "script: "]
)  # fmt: skip
BUILDS = st.lists(PARTS, max_size=40).map("".join)


def check_error(error: Unreadable, text: str) -> None:
    """It is one line, and names one that is there."""
    assert "\n" not in str(error)
    assert 0 <= error.line <= len(text.splitlines()) + 2


def mutated(text: str) -> st.SearchStrategy[str]:
    """The text with a piece replaced by something else."""
    places = st.integers(0, len(text))
    return st.builds(
        lambda at, length, new: text[:at] + new + text[at + length :],
        places, st.integers(0, 60), st.text(max_size=12),
    )  # fmt: skip


@given(st.one_of(TEXTS, SHELLS))
@example("$(" * 100_000)
@example("`" * 99)
@example("a=(" * 9_999)
@example("'" + '"$(')
def test_any_script_has_commands(script: str) -> None:
    for command in commands(script):
        assert isinstance(command, Command)
        assert all(isinstance(word, str) for word in command.words)
        assert 1 <= command.line <= script.count("\n") + 1


@given(st.one_of(TEXTS, BUILDS, mutated(CLOUDBUILD)))
@example("[" * 100_000)
@example("&a [*a]")
@example("&a {b: *a}")
@example("a: &x [1,1,1,1,1,1,1,1,1]\nb: &y [*x,*x,*x,*x,*x,*x,*x]\nc: &z [*y,*y,*y,*y,*y,*y]\n"
         "d: &w [*z,*z,*z,*z,*z,*z,*z]\ne: [*w,*w,*w,*w,*w,*w,*w,*w]")  # fmt: skip
@example("\x00")
@example("a: 1\na: 2")
@example("? [a]\n: b")
@example("--- a\n--- b")
@example("steps: [{name: [x], id: {a: b}, args: {a: b}, waitFor: [[a]], script: [x]}]")
@example("substitutions: [a]\noptions: x\nsteps: x\navailableSecrets: {inline: [{envMap: a}]}")
@example("substitutions: {_A: $_B, _B: $_A}\nsteps: [{name: $_A}]")
def test_any_build_is_read_or_unreadable(text: str) -> None:
    try:
        findings = in_cloudbuild(text, HERE)
    except Unreadable as error:
        check_error(error, text)
        return
    assert all("\n" not in one.what for one in findings)


@given(st.one_of(TEXTS, DOCKERFILES, mutated(DOCKERFILE)))
@example("FROM")
@example("FROM a AS b\nFROM b AS a\nFROM a")
@example("FROM a\nCMD [1]")
@example("FROM a\nENV")
@example("FROM a\nCOPY")
@example("FROM a\nCOPY ** /x")
@example("FROM a\nRUN \\")
@example('FROM a\nCMD ["bash", "-c"]')
def test_any_dockerfile_is_read_or_unreadable(text: str) -> None:
    try:
        in_dockerfile(text, HERE)
    except Unreadable as error:
        check_error(error, text)


@given(TEXTS, TEXTS)
def test_any_dockerignore_is_read(text: str, path: str) -> None:
    Ignored(text).leaves_all_out(path)


@given(TEXTS)
def test_any_lock_is_read(text: str) -> None:
    for finding in examine_requirements(text, "requirements.txt"):
        assert finding.check == "requirements-not-locked"


@given(st.dictionaries(
    st.sampled_from(["manifest.json", "index.json", "c.json", "l.tar", "blobs/sha256/a"]),
    st.one_of(
        st.binary(max_size=60),
        st.sampled_from([
            b"[]", b"{}", b"null", b'[{"Config": "c.json", "Layers": ["l.tar"]}]',
            b'{"config": {"User": 1}, "history": [1]}', b'{"manifests": [{"digest": "sha256:a"}]}',
            b'{"config": [], "layers": [{"digest": "x"}]}',
        ]),
    ),
))  # fmt: skip
def test_any_archive_is_an_image_or_unreadable(
    tmp_path_factory: pytest.TempPathFactory, contents: dict[str, bytes]
) -> None:
    path = tmp_path_factory.mktemp("archive") / "image.tar"
    with tarfile.open(path, "w") as archive:
        for name, data in contents.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    try:
        read_image(path)
    except Unreadable as error:
        check_error(error, "")


def test_a_file_that_is_no_text_says_so(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(Unreadable, match="is not UTF-8 text"):
        Folder(tmp_path).text("a")
    (tmp_path / "b").mkdir()
    with pytest.raises(Unreadable, match="cannot be read: IsADirectoryError"):
        Folder(tmp_path).text("b")
    assert Folder(tmp_path).text("c") is None


def test_broken_yaml_names_its_line() -> None:
    with pytest.raises(Unreadable, match="is no YAML") as caught:
        read_yaml("a:\n  - b\n c: d\n")
    assert caught.value.line == 3


def test_a_line_that_is_no_instruction_is_named() -> None:
    with pytest.raises(Unreadable, match="no instruction") as caught:
        read_dockerfile("FROM a\nWORKDIRR /app\n")
    assert caught.value.line == 2


SCRIPT = """\
set -euo pipefail
# don't stop here
flags=(--region=r --image="a b")
flags+=(
  --tag=$tag  # why
  --no-traffic
)
if ! gcloud one "$name" "${flags[@]}" --quiet > /dev/null 2>&1; then
  url="$(gcloud two --format='value(a, b)' | tr -d x)"
fi
cat <<EOF
gcloud nothing here
EOF
x=$((1+2)); A=1 gcloud three \\
   a ${#x} 'it'"'"'s'
echo `gcloud four`
"""


def test_the_commands_of_a_script_are_found_with_their_lines() -> None:
    found = [(one.line, one.words) for one in commands(SCRIPT) if one.words[0] == "gcloud"]
    assert found == [
        (8, ("gcloud", "one", "\ufffd", "--region=r", "--image=a b", "--tag=\ufffd", "--no-traffic",
             "--quiet")),
        (9, ("gcloud", "two", "--format=value(a, b)")),
        (14, ("gcloud", "three", "a", "it's")),
        (16, ("gcloud", "four")),
    ]  # fmt: skip
