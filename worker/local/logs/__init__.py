"""Cloud Logging on a laptop: takes entries, keeps them, answers queries."""
