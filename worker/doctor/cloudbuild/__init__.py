"""cloudbuild.yaml: read once, examined by one module for each kind of mistake."""
