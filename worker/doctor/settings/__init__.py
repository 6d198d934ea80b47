"""The worker as cloudbuild.yaml deploys it: its variables, its size, who may call it."""
