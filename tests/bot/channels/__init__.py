"""Each messenger against its emulated server."""
