"""The laptop cloud: Pub/Sub that pushes, Cloud Logging that answers, a page that shows it all."""
