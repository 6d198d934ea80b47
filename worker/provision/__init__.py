"""What a project needs for the worker, made and unmade."""
