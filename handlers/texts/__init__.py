"""Every sentence that people read, by subject."""
