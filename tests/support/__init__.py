"""What tests share: pushes as Pub/Sub makes them, a worker in this process, a real server."""
