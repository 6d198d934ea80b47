"""Push delivery as Pub/Sub documents it: requests, tokens, backoff; what happened is kept."""
