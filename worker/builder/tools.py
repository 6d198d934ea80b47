"""The tools that building needs. The lean production image has none of them."""

import importlib.util

from worker.builder.order import BuildFailed, Target

_ALWAYS = ("datamodel_code_generator", "jsonschema", "ruff", "mypy", "pytest")
_FASTAPI = ("fastapi", "httpx2")


def need_tools(target: Target) -> None:
    """Raise BuildFailed, with what to do, unless they are all installed."""
    wanted = (*_ALWAYS, *_FASTAPI) if target is Target.FASTAPI else _ALWAYS
    missing = [name for name in wanted if importlib.util.find_spec(name) is None]
    if missing:
        raise BuildFailed(
            "generating",
            f"not installed: {', '.join(missing)} "
            "(pip install -r requirements-build.txt; for an image: "
            "docker build --build-arg REQUIREMENTS=requirements-build.txt)",
        )
