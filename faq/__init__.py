"""What can be known from strings and content files alone."""
