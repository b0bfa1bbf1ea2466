"""From words to a decision."""
