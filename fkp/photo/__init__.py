"""A photograph, the points of its faces, and colours."""
