"""Errors, scores with intervals, and what they say of landmarks."""
