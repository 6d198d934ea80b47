"""What stands outside a worker: makes its pushes, and names the commands that do the same."""
