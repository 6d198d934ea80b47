"""The image that was built: an archive of it, or the one that this process runs in."""
