"""The Logging query language: text -> a tree that says which entries match."""
