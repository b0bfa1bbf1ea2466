"""What strings and content files promise."""
