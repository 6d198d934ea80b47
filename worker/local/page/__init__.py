"""The page of the laptop cloud: deliveries, logs, a form to publish, the quarantine."""
