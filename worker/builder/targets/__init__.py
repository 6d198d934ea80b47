"""What is written for each target, and how it is checked."""

from worker.builder.order import Target
from worker.builder.targets.fastapi import FASTAPI
from worker.builder.targets.recipe import Recipe
from worker.builder.targets.worker import WORKER

RECIPES: dict[Target, Recipe] = {Target.WORKER: WORKER, Target.FASTAPI: FASTAPI}

__all__ = ["RECIPES", "Recipe"]
