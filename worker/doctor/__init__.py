"""What is wrong with a deployment, why it matters, and what mends it."""
