"""What a run leaves behind: files written whole, digests, machine, metrics.json."""
