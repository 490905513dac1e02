"""Training and search."""
