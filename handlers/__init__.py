"""One module or package per feature. Dropping one in registers it; nothing else to edit."""
