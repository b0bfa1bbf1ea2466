"""One thin translator for each messenger; none knows another."""
