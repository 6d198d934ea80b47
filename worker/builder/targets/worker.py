"""The target `worker`: a handler of this program, its tests, and its page."""

from worker.builder import words
from worker.builder.models import Models
from worker.builder.naming import class_name
from worker.builder.order import Order
from worker.builder.targets.recipe import Recipe, takes_nothing, wrong_cases
from worker.builder.templating import rendered
from worker.builder.text import docstring
from worker.builder.wanted import Wanted


def _files(order: Order, wanted: Wanted, models: Models) -> dict[str, str]:
    feature = order.feature
    handled = f"{words.words(feature).capitalize()} handled"
    answer = f"{handled}. Log generated."
    handler = rendered(
        "worker/handler.py.j2",
        feature=feature,
        name=class_name(feature),
        handled=handled,
        module_docstring=docstring(f"{feature}: {words.summary(order, wanted)}", 0),
        docstring=docstring("\n\n".join(words.paragraphs(order, wanted)), 4, name=feature),
        imports=models.imports,
        models=models.source.strip(),
        answer=answer,
    )
    test = rendered(
        "worker/test.py.j2",
        feature=feature,
        answer=answer,
        takes_nothing=takes_nothing(wanted),
        **wrong_cases(wanted),
    )
    page = rendered("worker/page.md.j2", feature=feature, paragraphs=words.prose(order, wanted))
    return {
        f"handlers/{feature}.py": handler,
        f"tests/handlers/test_{feature}.py": test,
        f"docs/features/{feature}.md": page,
    }


def _scaffold(_order: Order) -> dict[str, str]:
    return {"handlers/__init__.py": '"""One module or package per feature."""\n'}


def _integration(order: Order) -> tuple[str, ...]:
    feature = order.feature
    return (
        "Copy handlers/, tests/ and docs/ into the checkout: the handler registers itself.",
        f"Write what the feature does in handlers/{feature}.py, in place of the log entry.",
        f"Run its tests: python -m pytest tests/handlers/test_{feature}.py",
        "Try it: python -m worker dev",
    )


def _proof(order: Order) -> str:
    return f"from worker.registry import load; load('handlers').find('{order.feature}')"


WORKER = Recipe("Requirements", _files, _scaffold, _integration, _proof, completes_docs=True)
