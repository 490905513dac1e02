"""The engine: YAML -> plan -> runs -> report."""
