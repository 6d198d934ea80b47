"""Cloud Run's part of the laptop cloud: the service as its API shows it, and who may call it."""
