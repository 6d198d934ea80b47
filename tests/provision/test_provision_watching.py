"""Metrics, the dashboard and alerts: made, mended, and what people did to them kept."""

from typing import Any

from tests.provision.conftest import Provision
from tests.provision.support import lines_with
from tests.support.google import FakeGoogle

METRIC = ("logging", "projects/demo-project/metrics/feature-worker-outcomes")
CHANNELS = "projects/demo-project/notificationChannels/"


def planted(google: FakeGoogle, kind: str) -> list[dict[str, Any]]:
    """The resources of Cloud Monitoring of this kind."""
    return [
        found
        for (api, name), found in google.resources.items()
        if api == "monitoring" and f"/{kind}/" in name
    ]


def alert(google: FakeGoogle, key: str) -> dict[str, Any]:
    (found,) = [
        policy
        for policy in planted(google, "alertPolicies")
        if policy["userLabels"]["alert"] == key
    ]
    return found


def change(google: FakeGoogle, resource: dict[str, Any], **fields: Any) -> None:
    """As somebody else does in the console."""
    google.resources["monitoring", resource["name"]] = resource | fields


def test_alerts_tell_everybody_of_the_settings(google: FakeGoogle, provision: Provision) -> None:
    provision(google, "--yes")
    channels = {one["labels"]["email_address"]: one for one in planted(google, CHANNELS[22:-1])}
    assert set(channels) == {"a@example.com", "b@example.com"}
    told = alert(google, "crashes")["notificationChannels"]
    assert told == [one["name"] for one in channels.values()]


def test_a_channel_that_is_there_is_used_and_others_stay(
    google: FakeGoogle, provision: Provision
) -> None:
    theirs = {"type": "email", "labels": {"email_address": "a@example.com"}}
    google.resources["monitoring", f"{CHANNELS}7"] = {"name": f"{CHANNELS}7", **theirs}
    google.resources["monitoring", f"{CHANNELS}99"] = {"name": f"{CHANNELS}99", "type": "slack"}
    provision(google, "--yes")
    assert len(planted(google, "notificationChannels")) == 3
    policy = alert(google, "crashes")
    change(google, policy, notificationChannels=[f"{CHANNELS}99"])

    result = provision(google, "--yes")

    (line,) = lines_with("~", result.stdout)
    assert line.split() == ["alert", "policy", "crashes", "notificationChannels"]
    told = alert(google, "crashes")["notificationChannels"]
    assert told[0] == f"{CHANNELS}99"
    assert f"{CHANNELS}7" in told


def test_an_alert_that_was_changed_is_mended_and_one_that_was_switched_off_stays_off(
    google: FakeGoogle, provision: Provision
) -> None:
    provision(google, "--yes")
    policy = alert(google, "crashes")
    labels = {**policy["userLabels"], "team": "shop"}
    change(google, policy, combiner="AND", enabled=False, userLabels=labels)
    google.clear()

    provision(google, "--yes")

    (patch,) = google.mutations()
    assert patch.query["updateMask"] == "combiner"
    mended = alert(google, "crashes")
    assert (mended["combiner"], mended["enabled"]) == ("OR", False)
    assert mended["userLabels"] == labels


def test_the_alert_of_another_service_is_not_ours(google: FakeGoogle, provision: Provision) -> None:
    provision(google, "--yes")
    policy = alert(google, "crashes")
    change(google, policy, displayName="other: handlers crash")
    result = provision(google, "--dry-run")
    assert [line.split()[2] for line in lines_with("+", result.stdout)] == ["crashes"]


def test_what_a_metric_counts_is_mended(google: FakeGoogle, provision: Provision) -> None:
    provision(google, "--yes")
    google.resources[METRIC] |= {"filter": "severity>=ERROR", "disabled": True}

    result = provision(google, "--yes")

    assert [line.split()[-1] for line in lines_with("~", result.stdout)] == ["filter"]
    assert "message.processed" in google.resources[METRIC]["filter"]
    assert google.resources[METRIC]["disabled"] is True
    assert "nothing to do" in provision(google, "--yes").stdout


def test_a_chart_that_was_changed_or_removed_comes_back_and_one_that_was_added_stays(
    google: FakeGoogle, provision: Provision
) -> None:
    provision(google, "--yes")
    (dashboard,) = planted(google, "dashboards")
    tiles = [dict(tile) for tile in dashboard["mosaicLayout"]["tiles"]]
    lost = tiles.pop()["widget"]["title"]
    tiles[0] = {**tiles[0], "widget": {"title": tiles[0]["widget"]["title"], "text": {}}}
    tiles[1] = {**tiles[1], "xPos": 30}
    added = {"width": 8, "height": 4, "yPos": 70, "widget": {"title": "Ours", "text": {}}}
    change(google, dashboard, mosaicLayout={"columns": 48, "tiles": [*tiles, added]})

    result = provision(google, "--yes")

    assert result.exit_code == 0, result.output
    (mended,) = planted(google, "dashboards")
    now = mended["mosaicLayout"]["tiles"]
    assert now[0]["widget"] == dashboard["mosaicLayout"]["tiles"][0]["widget"]
    assert now[1] == tiles[1]
    assert now[len(tiles)] == added
    assert (now[-1]["widget"]["title"], now[-1]["yPos"]) == (lost, 74)
    assert "nothing to do" in provision(google, "--yes").stdout
