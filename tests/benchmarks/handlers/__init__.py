"""The features that the benchmark pushes to: HANDLERS=tests.benchmarks.handlers."""
