"""What watches the worker, as the APIs take it: log-based metrics, a dashboard, alert policies."""

from worker.provision.monitoring.alerts import alert_policies
from worker.provision.monitoring.dashboard import dashboard
from worker.provision.monitoring.metrics import log_metrics

__all__ = ["alert_policies", "dashboard", "log_metrics"]
