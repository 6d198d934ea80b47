"""What watches the worker: metrics count real entries, charts and alerts name what exists."""

import re
from itertools import combinations
from typing import Any

import click
import pytest
from google.cloud.logging_v2.types import LogMetric
from google.protobuf import json_format

from handlers.smoke_test import smoke_test
from tests.support.inprocess import ListSink, make_worker
from tests.support.markdown import anchors
from tests.support.pushes import push_of, wrapped
from tests.support.server import ROOT
from worker.cli import main
from worker.deployment import Deployment
from worker.jsonline import is_special
from worker.local.lql import parse
from worker.outcome import OUTCOMES
from worker.pipeline import process
from worker.provision.monitoring import alert_policies, dashboard, log_metrics

DEPLOYMENT = Deployment(project="demo", service="pets")
RUNBOOK = ROOT / "docs" / "runbook.md"
# Google Cloud metrics, pubsub: those of a subscription that we use.
PUBSUB = {
    f"pubsub.googleapis.com/subscription/{name}"
    for name in (
        "dead_letter_message_count", "num_undelivered_messages", "oldest_unacked_message_age",
        "push_request_count",
    )
}  # fmt: skip
OURS = {f"logging.googleapis.com/user/{metric['name']}" for metric in log_metrics(DEPLOYMENT)}
ALERTS = {policy["userLabels"]["alert"]: policy for policy in alert_policies(DEPLOYMENT)}


def entry_of(feature: str) -> dict[str, Any]:
    """The canonical entry of a push as Cloud Logging holds it."""
    sink = ListSink()
    process(make_worker(smoke_test, sink=sink), push_of(wrapped({"feature": feature})))
    payload = {name: value for name, value in sink.entries[-1].items() if not is_special(name)}
    labels = {"service_name": "pets"}
    return {
        "resource": {"type": "cloud_run_revision", "labels": labels},
        "jsonPayload": payload,
    }


def matching(entry: dict[str, Any]) -> set[str]:
    return {one["name"] for one in log_metrics(DEPLOYMENT) if parse(one["filter"]).matches(entry)}


def strings(value: Any) -> list[str]:
    """Every text in it."""
    if isinstance(value, dict):
        return [text for one in value.values() for text in strings(one)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


def test_a_handled_message_is_in_every_metric() -> None:
    assert matching(entry_of("smoke_test")) == {
        "pets-outcomes",
        "pets-seconds",
        "pets-queue-seconds",
    }


def test_a_rejected_message_adds_no_feature_to_the_labels() -> None:
    assert matching(entry_of("x" * 50)) == {"pets-outcomes", "pets-queue-seconds"}


def test_entries_of_other_services_and_other_events_are_not_counted() -> None:
    entry = entry_of("smoke_test")
    other = {**entry["resource"]["labels"], "service_name": "cats"}
    assert matching({**entry, "resource": {**entry["resource"], "labels": other}}) == set()
    assert matching({**entry, "jsonPayload": {"event": "smoke_test.passed"}}) == set()


@pytest.mark.parametrize("metric", log_metrics(DEPLOYMENT), ids=lambda metric: metric["name"])
def test_a_metric_is_what_the_api_takes(metric: dict[str, Any]) -> None:
    read = json_format.ParseDict(metric, LogMetric.pb(LogMetric()))
    assert read.metric_descriptor.metric_kind == 2  # DELTA
    labels = [label.key for label in read.metric_descriptor.labels]
    assert set(labels) == set(read.label_extractors)


@pytest.mark.parametrize("metric", log_metrics(DEPLOYMENT), ids=lambda metric: metric["name"])
def test_a_metric_takes_its_values_from_fields_that_entries_have(metric: dict[str, Any]) -> None:
    taken = re.findall(r"EXTRACT\(jsonPayload\.(\w+)\)", " ".join(strings(metric)))
    assert taken
    assert set(taken) <= set(entry_of("smoke_test")["jsonPayload"])


@pytest.mark.parametrize("body", [dashboard(DEPLOYMENT), *ALERTS.values()])
def test_series_are_those_of_metrics_that_exist(body: dict[str, Any]) -> None:
    types = set(re.findall(r'metric\.type="([^"]+)"', " ".join(strings(body))))
    assert types
    assert types <= PUBSUB | OURS


def test_labels_that_alerts_ask_for_are_outcomes() -> None:
    asked = re.findall(r'metric\.labels\.outcome="(\w+)"', " ".join(strings(list(ALERTS.values()))))
    assert asked
    assert set(asked) <= {outcome.name for outcome in OUTCOMES}


def test_every_metric_of_ours_is_on_the_dashboard() -> None:
    shown = " ".join(strings(dashboard(DEPLOYMENT)))
    assert [name for name in OURS if name not in shown] == []


def test_the_charts_do_not_cover_each_other() -> None:
    tiles = dashboard(DEPLOYMENT)["mosaicLayout"]["tiles"]
    assert len({tile["widget"]["title"] for tile in tiles}) == len(tiles) == 8
    assert max(tile["xPos"] + tile["width"] for tile in tiles) <= 48
    for one, other in combinations(tiles, 2):
        beside = abs(one["xPos"] - other["xPos"]) >= one["width"]
        assert beside or abs(one["yPos"] - other["yPos"]) >= one["height"]


def test_an_alert_says_what_to_do_with_commands_that_exist() -> None:
    for policy in ALERTS.values():
        text = policy["documentation"]["content"]
        commands = re.findall(r"`python -m worker (\w+)", text)
        assert set(commands) <= set(main.list_commands(click.Context(main)))
        assert len(text) < 8192, "the longest documentation of a policy"


def test_the_runbook_has_a_section_for_every_alert() -> None:
    assert set(ALERTS) <= anchors(RUNBOOK)
    assert sections("Alerts") == list(ALERTS)


def test_the_runbook_has_a_section_for_every_outcome() -> None:
    assert sections("Outcomes") == [outcome.name for outcome in OUTCOMES]


def sections(title: str) -> list[str]:
    """The subsections of a section, in order."""
    _, _, text = RUNBOOK.read_text().partition(f"\n## {title}\n")
    return re.findall(r"^### (.+)$", text.partition("\n## ")[0], re.MULTILINE)


def test_two_services_of_a_project_have_metrics_and_alerts_of_their_own() -> None:
    other = DEPLOYMENT.model_copy(update={"service": "cats"})
    names = {metric["name"] for metric in log_metrics(other)}
    assert names.isdisjoint({metric["name"] for metric in log_metrics(DEPLOYMENT)})
    assert dashboard(other)["displayName"] != dashboard(DEPLOYMENT)["displayName"]
