"""Faces and where they come from."""
