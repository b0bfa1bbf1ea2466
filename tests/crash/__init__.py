"""What is left of the promises when the process dies."""
