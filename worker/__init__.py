"""The names that a handler file may import."""

from worker.context import Context
from worker.feature import Requirements, feature
from worker.outcome import Reject, Retry

__all__ = ["Context", "Reject", "Requirements", "Retry", "feature"]
