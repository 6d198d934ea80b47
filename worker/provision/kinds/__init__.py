"""The kinds of resources: how each is looked at, made, changed, removed and said with gcloud."""
