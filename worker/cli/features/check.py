"""`python -m worker features check`: would what publishers send still be taken?"""

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from worker.cli import fail
from worker.cli.features import features_or_fail
from worker.client.text import printable
from worker.config import folder_of
from worker.feature import Feature, HandlersInvalid
from worker.registry import Features


@dataclass(slots=True)
class _Report:
    """What was compared, and the sentences."""

    features: int = 0
    read: int = 0
    taken: int = 0
    breaking: list[dict[str, str]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


@click.command("check", short_help="Find changes that break publishers, before they are deployed.")
@click.option(
    "--against", required=True, metavar="SCHEMAS", type=click.Path(path_type=Path),
    help="How it was: a folder of `features export`, its schemas folder, or one schema.",
)  # fmt: skip
@click.option(
    "--messages", multiple=True, metavar="PATH", type=click.Path(path_type=Path),
    help="Recorded messages, a file or a folder, may be repeated.",
)  # fmt: skip
@click.option(
    "--quarantine",
    metavar="folder:PATH",
    help="Messages held there. [default: QUARANTINE's folder]",
)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(
    *, against: Path, messages: tuple[Path, ...], quarantine: str | None, as_json: bool
) -> None:
    """Compare the features with their schemas of before, and with messages (docs/compatibility.md).

    A sentence for each payload that was valid before and is not now. The examples of an export, the
    recorded messages and the quarantined ones count where the old schemas took them. Exit code: 0
    nothing breaks, 1 something does, 2 it could not be compared.

    \b
    Example: python -m worker features check --against build/catalog
    Example: python -m worker features check --against build/catalog --messages recorded.jsonl
    """  # noqa: D301 - \b is click's mark for lines that stay as they are
    from worker.catalog.compat.validation import SchemasInvalid

    features = features_or_fail()
    held = _quarantine_folder(quarantine)
    try:
        report = _compare(features, against, messages, held)
    except (SchemasInvalid, HandlersInvalid) as error:
        fail(printable(str(error)))
    click.echo(_for_machines(report) if as_json else _for_people(report, against))
    raise SystemExit(1 if report.breaking or report.refused else 0)


def _compare(
    features: Features, against: Path, messages: tuple[Path, ...], held: Path | None
) -> _Report:
    from worker.catalog.compat import breaking
    from worker.catalog.compat.recorded import Recorded, quarantined, recorded
    from worker.catalog.compat.schemas import read_old

    old = read_old(against)
    report = _Report(features=len(old.schemas))
    for name, schema in sorted(old.schemas.items()):
        if name not in features.names:
            report.breaking.append(_sentence(name, "", "the feature is gone"))
            continue
        for one in breaking(schema, _today(features.find(name))):
            report.breaking.append(_sentence(name, one.place, one.sentence))
    looked_at = Recorded(old.schemas, features)
    for place in (*([old.examples] if old.examples else ()), *messages):
        report.refused += looked_at.refused(recorded(place))
    if held is not None:
        report.refused += looked_at.refused(quarantined(held))
    report.read, report.taken = looked_at.read, looked_at.taken
    return report


def _today(feature: Feature[Any]) -> dict[str, Any]:
    from worker.catalog.payload_schema import payload_schema, requirements_schema

    return payload_schema(feature, requirements_schema(feature))


def _sentence(feature: str, place: str, sentence: str) -> dict[str, str]:
    return {"feature": feature, "field": place, "sentence": sentence}


def _quarantine_folder(given: str | None) -> Path | None:
    """That of --quarantine, else of QUARANTINE if it is there."""
    if given is not None:
        folder = folder_of(given)
        if not given.startswith("folder:") or not folder.is_dir():
            fail("--quarantine wants folder:PATH, with the path of a folder that is there")
        return folder
    setting = os.environ.get("QUARANTINE") or "folder:quarantine"
    folder = folder_of(setting)
    return folder if setting.startswith("folder:") and folder.is_dir() else None


def _for_machines(report: _Report) -> str:
    found: dict[str, Any] = {
        "compatible": not (report.breaking or report.refused),
        "breaking": report.breaking,
        "messages": report.refused,
        "compared": {
            "features": report.features, "messages": report.read, "taken_before": report.taken,
        },
    }  # fmt: skip
    return json.dumps(found, indent=2)


def _for_people(report: _Report, against: Path) -> str:
    lines = [
        ": ".join(part for part in (one["feature"], one["field"], one["sentence"]) if part)
        for one in report.breaking
    ]
    lines += report.refused
    verdict = _count(len(lines), "problem") if lines else "nothing breaks"
    lines.append(
        f"{verdict}: compared {_count(report.features, 'feature')} with {against}, and looked at "
        f"{_count(report.read, 'message')}, {report.taken} of them valid before"
    )
    return "\n".join(map(printable, lines))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
