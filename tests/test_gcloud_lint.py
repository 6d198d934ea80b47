"""Every gcloud command that the docs and cloudbuild.yaml have is one that gcloud takes."""

import re
import shlex
from pathlib import Path

import pytest

from tests.support.gcloud_commands import (
    CLOUDBUILD,
    Command,
    filled,
    in_cloudbuild,
    in_pages,
    in_texts,
    lint,
    out_of_range,
    plausible,
)  # fmt: skip
from tests.support.markdown import PAGES, blocks, name_of

pytestmark = pytest.mark.tools

_BEGINS = re.compile(r"^ *(?:[\w]+=\"?\$\()?gcloud ", re.MULTILINE)

PAGE = """
Say `gcloud pubsub topics create` first, `gcloud pubsub topic list` never.

```bash
gcloud pubsub topics create features --lables=a=b
NUMBER="$(gcloud project describe "$PROJECT" --format='value(projectNumber)')"
A=b gcloud pubsub topics create features \\
  --ack-deadline=10 | cat
gcloud pubsub topics create "$NAME" --quiet
gcloud pubsub subscriptions update one --ack-deadline=soon
gcloud pubsub subscriptions update one --ack-deadline=5
```
"""

BUILD = """
steps:
  - name: gcr.io/cloud-builders/gcloud
    args: [run, deploy, "${_SERVICE}", --image=i, --no-trafic]
  - name: gcr.io/google.com/cloudsdktool/cloud-sdk:slim
    entrypoint: gcloud
    args:
      - run
      - deploy
      - $_SERVICE
  - name: bash
    entrypoint: bash
    args:
      - -euc
      - |
        echo "$$(gcloud run services describe ${_SERVICE} --region=here)"
        gcloud run services udpate $$SERVICE
  - name: bash
    script: |
      gcloud run services list --regoin=here
  - name: python
    args: [-m, pytest, gcloud]
substitutions:
  _SERVICE: feature-worker
"""


def places(complaints: list[tuple[Command, str]]) -> list[tuple[str, str]]:
    return [(one.place, why.partition(" (did")[0].strip()) for one, why in complaints]


@pytest.mark.emulator
@pytest.mark.timeout(300)
def test_gcloud_takes_every_command_of_the_docs_and_of_the_build() -> None:
    found = [*in_pages(), *in_cloudbuild()]
    wrong = [f"{one.place}: {shlex.join(one.words)}: {why}" for one, why in lint(found)]
    assert not wrong, "\n".join(wrong)


def test_every_number_in_the_docs_and_in_the_build_is_one_that_the_api_takes() -> None:
    assert not places(out_of_range([*in_pages(), *in_cloudbuild()]))


@pytest.mark.emulator
@pytest.mark.timeout(300)
def test_planted_mistakes_are_found_where_they_are(tmp_path: Path) -> None:
    page, build = tmp_path / "page.md", tmp_path / "build.yaml"
    page.write_text(PAGE)
    build.write_text(BUILD)
    assert places(lint([*in_pages([page]), *in_cloudbuild(build)])) == [
        ("page.md:5", "unrecognized arguments: --lables=a=b"),
        ("page.md:6", "Invalid choice: 'project'"),
        ("page.md:7", "unrecognized arguments: --ack-deadline=10"),
        ("page.md:10", "argument --ack-deadline: invalid int value: 'soon'"),
        ("page.md:2", "Invalid choice: 'topic'"),
        ("build.yaml:4", "unrecognized arguments: --no-trafic"),
        ("build.yaml:17", "Invalid choice: 'udpate'"),
        ("build.yaml:20", "unrecognized arguments: --regoin=here"),
    ]
    assert places(out_of_range(in_pages([page]))) == [
        ("page.md:11", "--ack-deadline takes 10 to 600")
    ]


def test_the_commands_of_a_build_are_those_that_its_steps_run(tmp_path: Path) -> None:
    build = tmp_path / "build.yaml"
    build.write_text(BUILD)
    assert [one.words for one in in_cloudbuild(build)] == [
        ("gcloud", "run", "deploy", "feature-worker", "--image=i", "--no-trafic"),
        ("gcloud", "run", "deploy", "feature-worker"),
        ("gcloud", "run", "services", "describe", "feature-worker", "--region=here"),
        ("gcloud", "run", "services", "udpate", "a-service"),
        ("gcloud", "run", "services", "list", "--regoin=here"),
    ]


def test_no_page_has_a_command_that_is_not_found() -> None:
    found = {(name_of(page), len(in_pages([page]))) for page in PAGES}
    least: dict[str, int] = dict.fromkeys(map(name_of, PAGES), 0)
    for block in blocks("bash"):
        least[name_of(block.page)] += len(_BEGINS.findall(block.text))
    assert all(count >= least[page] for page, count in found), (found, least)
    assert sum(least.values()) > 30
    assert in_cloudbuild(CLOUDBUILD)


def test_what_a_program_prints_is_found_by_its_place() -> None:
    texts = [
        "echo gcloud",
        "timeout 9 gcloud a | xargs -n1 gcloud b",
        'x "${A[@]}"; gcloud "${A[@]}"',
    ]
    assert in_texts(texts, "ladder") == [
        Command("ladder[1]:1", ("gcloud", "a")),
        Command("ladder[1]:1", ("gcloud", "b")),
        Command("ladder[2]:1", ("gcloud",)),
    ]


def test_substitutions_are_those_of_cloud_build() -> None:
    text = "$_A ${_A}b $PROJECT_ID $$HOME $${_A} ${x} $lower"
    assert filled(text, {"_A": "1"}) == "1 1b a-project-id $HOME ${_A} ${x} $lower"


@pytest.mark.parametrize(
    ("name", "word"),
    [("ACK_DEADLINE", "10"), ("URL", "https://service.example"), ("REGION", "europe-west1"),
     ("SOME_THING", "a-some-thing")],
)  # fmt: skip
def test_a_variable_stands_for_a_plausible_word(name: str, word: str) -> None:
    assert plausible(name) == word
