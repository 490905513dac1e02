"""What serves one paper alone."""
