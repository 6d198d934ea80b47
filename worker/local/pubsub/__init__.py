"""Pub/Sub on a laptop: topics, subscriptions, and pushes as the real service makes them."""
