"""The target `fastapi`: a package of PetSage's API with its route, its tests, and its page."""

import json
import shlex

from worker.builder import words
from worker.builder.models import Models
from worker.builder.naming import class_name
from worker.builder.order import Order
from worker.builder.targets.recipe import Recipe, wrong_cases
from worker.builder.templating import rendered
from worker.builder.text import docstring, literal, markdown
from worker.builder.wanted import Wanted

_HEALTH = frozenset({"health", "status", "ping", "liveness", "readiness", "smoke"})
_HEALTH_TAG = "Health & Status"
_MAIN = '''"""PetSage's API."""

from fastapi import FastAPI

{include}

app = FastAPI(title="PetSage")
{register}
'''


def tag_of(order: Order) -> str:
    """The heading of the route in the API's documentation."""
    if order.tag is not None and order.tag.strip():
        return " ".join(words.whole(order.tag).split())
    if _HEALTH.isdisjoint(order.feature.split("_")):
        return words.title(order.feature)
    return _HEALTH_TAG


def _files(order: Order, wanted: Wanted, models: Models) -> dict[str, str]:
    feature = order.feature
    takes = wanted.kind == "model"
    answer = f"PetSage {words.words(feature)} feature is operational."
    parts = {
        "feature": feature,
        "name": class_name(feature),
        "dashes": words.dashes(feature),
        "takes": takes,
        "method": "post" if takes else "get",
        "answer": answer,
    }
    text = "\n\n".join(words.paragraphs(order, wanted))
    folder, tag = f"petsage/features/{feature}", tag_of(order)
    return {
        f"{folder}/__init__.py": rendered("fastapi/init.py.j2", **parts),
        f"{folder}/models.py": rendered(
            "fastapi/models.py.j2",
            imports=models.imports, models=models.source.strip(), **parts,
        ),
        f"{folder}/router.py": rendered(
            "fastapi/router.py.j2",
            tag=literal(tag), summary=literal(words.summary(order, wanted)),
            description=literal(text), **parts,
        ),
        f"{folder}/service.py": rendered(
            "fastapi/service.py.j2", docstring=docstring(text, 4, name="handle"), **parts
        ),
        f"tests/features/{feature}/test_{feature}.py": rendered(
            "fastapi/test.py.j2",
            tag=literal(tag), **wrong_cases(wanted), **parts,
        ),
        f"docs/features/{feature}.md": _page(order, wanted, parts),
    }  # fmt: skip


def _page(order: Order, wanted: Wanted, parts: dict[str, object]) -> str:
    """The one document that nobody else writes a part of."""
    url = f"http://localhost:8000/{words.dashes(order.feature)}/"
    body = ["-H", "Content-Type: application/json", "-d", json.dumps(wanted.example)]
    curl = shlex.join(["curl", "-s", url, *(body if parts["takes"] else [])])
    return rendered(
        "fastapi/page.md.j2",
        **{
            **parts,
            "answer": json.dumps({"status": "ok", "details": parts["answer"]}),
            "paragraphs": words.prose(order, wanted),
            "tag": markdown(tag_of(order)),
            "example": json.dumps(wanted.example, indent=2),
            "curl": curl,
        },
    )


def _scaffold(order: Order) -> dict[str, str]:
    """The least PetSage that has this route: the lines of the report, in their places."""
    include, register = _integration(order)
    return {
        "petsage/__init__.py": '"""PetSage."""\n',
        "petsage/features/__init__.py": '"""The features of PetSage."""\n',
        "petsage/main.py": _MAIN.format(include=include, register=register),
    }


def _integration(order: Order) -> tuple[str, ...]:
    """The lines to add to petsage/main.py: the import, and what is to be done with it."""
    router = f"{order.feature}_router"
    return (
        f"from petsage.features.{order.feature} import router as {router}",
        f"app.include_router({router})",
    )


def _proof(order: Order) -> str:
    path = f"/{words.dashes(order.feature)}/"
    return f"from petsage.main import app; app.openapi()['paths']['{path}']"


FASTAPI = Recipe("BaseModel", _files, _scaffold, _integration, _proof, completes_docs=False)
