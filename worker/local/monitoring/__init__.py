"""Cloud Monitoring's part of the laptop cloud: what is known of the subscriptions, as metrics."""
