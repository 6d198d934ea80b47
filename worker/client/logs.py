"""Where Logs Explorer shows what became of a message."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import quote as percent

CLOCK_SKEW = timedelta(minutes=5)  # between this machine and Google's


def logs_query(
    service: str, fields: Mapping[str, str], since: datetime | None, until: datetime | None = None
) -> str:
    """Logs Explorer's query for the entries with these fields; a newline means AND."""
    lines = [
        'resource.type="cloud_run_revision"',
        f'resource.labels.service_name="{service}"',
        *(f"jsonPayload.{name}={json.dumps(value)}" for name, value in fields.items()),
    ]
    if since is not None:
        lines.append(f'timestamp>="{_written(since)}"')
    if until is not None:
        lines.append(f'timestamp<="{_written(until)}"')
    return "\n".join(lines)


def _written(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def logs_link(query: str, project: str) -> str:
    """The address of Logs Explorer with the query filled in; `project` may be ""."""
    address = f"https://console.cloud.google.com/logs/query;query={percent(query, safe='')}"
    return f"{address}?project={percent(project, safe='')}" if project else address
