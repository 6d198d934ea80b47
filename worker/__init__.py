"""The names that a handler file may import."""

from worker.feature import Context, Requirements, feature
from worker.outcome import Reject, Retry

__all__ = ["Context", "Reject", "Requirements", "Retry", "feature"]
