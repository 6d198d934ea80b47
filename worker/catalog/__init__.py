"""Features described once: schemas, documents and pages that follow from their models."""
