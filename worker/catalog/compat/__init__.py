"""Whether what was valid under an old JSON Schema is valid under a new one, and if not, why."""

from worker.catalog.compat.comparison import breaking
from worker.catalog.compat.finding import Finding

__all__ = ["Finding", "breaking"]
