"""The engine that builds a feature from a description: `generate`, `verify`, `report`."""

from worker.builder.draft import Check, Draft
from worker.builder.engine import generate, verify
from worker.builder.order import BuildFailed, Order, OrderRefused, Target
from worker.builder.report import report

__all__ = [
    "BuildFailed",
    "Check",
    "Draft",
    "Order",
    "OrderRefused",
    "Target",
    "generate",
    "report",
    "verify",
]
